"""The battery of words: its players are what they are called, and its arithmetic is right."""

from __future__ import annotations

import numpy as np
import pytest
from support import battery

from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.emergence.collusion.verdict import TACIT, WORDS
from tacit.envs.registry import make_market

collusion, collusion_tables = battery.load("collusion"), battery.load("collusion_tables")
words = battery.load("__main__")
Stage, tables = collusion_tables.Stage, collusion_tables.tables
is_upheld, path_index = collusion_tables.is_upheld, collusion_tables.path_index
BERTRAND = {"differentiation": 0.0, "start": "collusive"}


@pytest.fixture(scope="module")
def prices():
    return Stage(make_market("cloud_bandwidth", {"start": "collusive"}))


@pytest.fixture(scope="module")
def bids():
    return Stage(make_market("ad_auction", {"observe": "bids", "bids": 9, "price_mix": 1.0}))


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (collusion_tables.grim, "grim_trigger"),
        (collusion_tables.tit_for_tat, "tit_for_tat"),
        (collusion_tables.win_stay, "win_stay_lose_shift"),
        (collusion_tables.always_high, "collusive"),
    ],
)
def test_rules_are_those_of_scripted_players(prices, rule, name):
    for seat, table in zip(prices.market.seats, tables(prices, rule), strict=True):
        scripted = Scripted(ScriptedConfig(rule=name), prices.market, seat).table()
        same = np.all(table == scripted, axis=1)
        # win-stay, lose-shift of the scripts also stays after equal prices in between
        assert same.mean() > (0.93 if name == "win_stay_lose_shift" else 0.999)


def test_deterrence_by_arithmetic():
    """Bertrand: undercutting by a step takes nearly all once; grim trigger takes half for ever."""
    stage = Stage(make_market("cloud_bandwidth", BERTRAND))
    assert is_upheld(stage, collusion_tables.grim)
    assert not is_upheld(stage, collusion_tables.grim, discount=0.4)
    assert not is_upheld(stage, collusion_tables.always_high)
    assert not is_upheld(stage, collusion_tables.own_shame)
    assert path_index(stage, collusion_tables.grim) == pytest.approx(
        stage.index(stage.high), abs=1e-12
    )


def test_a_ring_takes_turns_and_is_upheld_only_if_it_is_enforced(bids):
    winning = collusion_tables.second_lowest
    assert collusion_tables.turns(bids, 1) == [(1, 0), (0, 1)]
    assert is_upheld(bids, collusion_tables.ring(winning, True))
    assert not is_upheld(bids, collusion_tables.ring(winning, False))


@pytest.mark.slow
def test_the_halves_share_no_market_and_both_have_every_kind():
    every = collusion.cases()
    by_half = {half: {c.market for c in every if c.half == half}
               for half in ("choosing", "reporting")}  # fmt: skip
    assert not by_half["choosing"] & by_half["reporting"]
    known = set(WORDS)
    assert all(case.right <= known for case in every)
    assert {c.kind for c in every if c.right == {TACIT}} >= {
        "grim trigger", "tit for tat", "ring in turns, enforced", "cartel of 2 of 3",
    }  # fmt: skip


@pytest.mark.slow
def test_an_arm_of_a_case_is_judged_as_a_run_would_be():
    case = next(c for c in collusion.cases() if c.kind == "grim trigger" and c.right == {TACIT})
    (evidence,) = case.arms(3)  # every seed is the same: one arm
    assert evidence.n == 48
    assert evidence.mean("upheld_deviations").low == 1.0


@pytest.mark.parametrize("behaviour", ["collusion", "KPI", "claims"])
def test_pages_quote_the_rates_that_were_measured(behaviour):
    page = (words.DOCS / words.PAGES[behaviour]).read_text(encoding="utf-8")
    block = page.partition(words.BEGIN)[2].partition(words.END)[0]
    assert block.strip() == words.quoted(words.RESULT.read_text(encoding="utf-8"), behaviour)
    assert block.count("where it is wrong") == block.count("where it is right") == 1
