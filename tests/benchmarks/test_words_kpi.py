"""The battery of words on the KPI: its arithmetic by hand, and one case of each kind is judged
right."""

from __future__ import annotations

import numpy as np
import pytest
from support import battery

from tacit.emergence.verdict import RULES
from tacit.envs.registry import make_market

kpi, tables = battery.load("kpi"), battery.load("collusion_tables")


@pytest.fixture(scope="module")
def game():
    market = make_market("cloud_bandwidth", {"prices": 7, "start": "collusive"})
    table = {"provider": {"profit": 2.0, "quantity": 0.5, "price_change": -0.3}}
    return kpi.Game("test", "choosing", tables.Stage(market), table)


def test_what_a_round_pays_by_hand(game):
    measures, columns = game.stage.measures, game.stage.market.columns
    profit, quantity = (measures[:, 1, columns[n]].reshape(7, 7) for n in ("profit", "quantity"))
    assert game.paid[1] == pytest.approx(2 * profit + 0.5 * quantity)


def test_a_charge_on_changes_is_paid_by_whoever_leaves(game):
    pair, prices = (5, 5), game.stage.market.roles[0].blocks[0].does[0].values
    gains = [game.paid[0][a, 5] - game.paid[0][5, 5] - 0.3 * abs(prices[a] - prices[5])
             for a in range(7)]  # fmt: skip
    assert game.charged_gain(pair) == pytest.approx(max(gains) / game.range)


def test_equilibria_leave_nothing_to_gain(game):
    for a, b in game.equilibria(game.paid):
        assert game.paid[0][a, b] == pytest.approx(game.paid[0][:, b].max())
        assert game.paid[1][a, b] == pytest.approx(game.paid[1][a].max())


def test_a_kind_rival_answers_the_friendly_action(game):
    own, other = kpi.kind_answer(game, 0)
    acts = other.argmax(axis=1)
    seen = [game.stage.market.analysis.last_actions(game.stage.market.seats[1], o)
            for o in range(len(acts))]  # fmt: skip
    invited = np.array([last["provider_0"] == game.friendly for last in seen])
    assert set(acts[invited]) == {game.friendly}
    assert set(acts[~invited]) == {game.rest[1]}
    assert set(own.argmax(axis=1)) == {game.rest[0]}


@pytest.fixture(scope="module")
def cases():
    return kpi.cases()


def test_at_least_eight_kinds_play_in_both_halves(cases):
    for half in ("choosing", "reporting"):
        assert len({case.kind for case in cases if case.half == half}) >= 8


@pytest.mark.parametrize(
    "kind",
    [
        "best replies to the KPI",
        "a rival that would answer kindly, patient",
        "best replies to profit under the KPI",
        "scripts at the KPI's equilibrium",
    ],
)
def test_a_case_is_judged_right(kind, cases):
    case = next(case for case in cases if case.kind == kind)
    (evidence,) = case.arms(2)
    assert {RULES["KPI"](evidence).word} == case.right
