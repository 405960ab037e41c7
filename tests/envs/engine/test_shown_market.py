"""Markets in which parts of what seats see are a constant, or older than they are."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.agents.group import make_group
from tacit.agents.policy import cumulative
from tacit.agents.registry import make_config
from tacit.agents.tabular.recording import build_recording
from tacit.emergence.play.limit_path import limit_path
from tacit.emergence.population import freeze
from tacit.envs import kpi as kpis
from tacit.envs.cloud_bandwidth.positions import PAST
from tacit.envs.engine.engine import Engine
from tacit.envs.engine.game_arrays import build_game
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market
from tacit.envs.shown import carried_over, shown_market, view_of

RIVALS = {"provider_0": ("last_price_1",), "provider_1": ("last_price_0",)}
ALL = dict.fromkeys(RIVALS, ("last_price_0", "last_price_1"))


@pytest.fixture(scope="module")
def market():
    return make_market("cloud_bandwidth", {"prices": 5})


def group_in(market, look_up="auto", **keys):
    config = make_config({"name": "q_learning", **keys}, "agents")
    configs = {seat.name: config for seat in market.seats}
    made = make_group(market, kpis.resolve(market, None), configs, seed=3)
    made.look_up = look_up
    return made


def recorded(market, rounds=60):
    """Observations shown int64 `[R, S]`, and prices posted `[R, S]`, of agents that explore."""
    group = group_in(market)
    made = build_recording(build_game(market, kpis.resolve(market, None)), group.rows, rounds)
    group.run(rounds, made)
    return made.observations[:, 0, 0], made.actions[:, 0, 0]


def test_a_hidden_part_has_its_first_value_and_all_else_is_as_it_is(market):
    shown, prices = recorded(shown_market(market, RIVALS))
    free, free_prices = recorded(market)
    assert (prices[:20] == free_prices[:20]).all()  # they explore with the same draws
    assert (shown[1:, 0] == 5 * prices[:-1, 0]).all()
    assert (shown[1:, 1] == prices[:-1, 1]).all()
    assert (free[1:, 0] == 5 * free_prices[:-1, 0] + free_prices[:-1, 1]).all()
    shown, _ = recorded(shown_market(market, ALL))
    assert not shown.any()


@pytest.mark.parametrize("rounds", [1, 3])
def test_an_older_part_is_what_it_was_so_many_rounds_ago(market, rounds):
    shown, prices = recorded(shown_market(market, RIVALS, rounds))
    at = np.arange(rounds + 1, 60)
    assert (shown[at, 0] == 5 * prices[at - 1, 0] + prices[at - 1 - rounds, 1]).all()
    assert (shown[at, 1] == 5 * prices[at - 1 - rounds, 0] + prices[at - 1, 1]).all()


def test_before_there_is_anything_older_it_is_what_is_so_at_the_start(market):
    late, now = (Engine(m, seeds=[5]) for m in (shown_market(market, RIVALS, 2), market))
    assert (late.rows.observations == now.rows.observations).all()


def test_seats_actions_and_measures_stay(market):
    other = shown_market(market, RIVALS, 2)
    assert (other.seats, other.measures, other.config) == (
        market.seats, market.measures, market.config,
    )  # fmt: skip
    assert other.state_width == market.state_width + 4
    assert (view_of(other).market, view_of(other).rounds) == (market, 2)
    assert view_of(market) == (market, {}, 0)
    assert other.analysis.last_actions(other.seats[0], 7) is None
    assert market.analysis.last_actions(market.seats[0], 7) is not None
    assert view_of(other.analysis.expected()).rounds == 2


@pytest.mark.parametrize("rounds", [0, 1])
def test_rounds_that_are_looked_up_are_the_rounds_that_are_played(market, rounds):
    other = shown_market(market, RIVALS, rounds)
    states = []
    for look_up in ("always", "never"):
        group = group_in(other, look_up)
        group.run(3_000)
        assert (group.lookup_table is not None) == (look_up == "always")
        states.append(group.state())
    for name, array in states[0].items():
        assert array.tobytes() == states[1][name].tobytes(), name


def test_probes_play_what_is_played(market):
    """Each provider posts one price above the rival's of two rounds ago, and begins anew at 5."""
    role = market.roles[0]
    o = np.arange(role.observations)
    tables = [np.eye(role.actions)[(seen + 1) % 5] for seen in (o % 5, o // 5)]
    for own, rounds in ((market, 1), (shown_market(market, RIVALS, 1), 2)):
        engine = Engine(own, seeds=[0])
        engine.reset()
        states, _ = engine.trace(cumulative(own, tables)[None], 40)
        past = states[:, PAST].astype(int)
        prices = np.stack([past // 5, past % 5], axis=1)
        before = prices[5:-rounds]
        assert (prices[5 + rounds :] == (before[:, ::-1] + 1) % 5).all()
        assert limit_path(freeze(own, None, tables, seed=0)).period in (5 * rounds, 10 * rounds)


@pytest.mark.slow
def test_a_state_is_carried_over_into_another_view_and_back(market):
    group = group_in(market)
    group.run(50)
    state = group.state()
    hidden = carried_over(shown_market(market, RIVALS), state)
    o = int(state["rows.observations"][0, 0])
    assert hidden["rows.observations"][0].tolist() == [5 * (o // 5), o % 5]
    late = shown_market(market, RIVALS, 3)
    older = carried_over(late, hidden)
    assert older["rows.state"][0, market.state_width :].tolist() == [o] * 6
    assert (older["rows.observations"] == state["rows.observations"]).all()
    assert (carried_over(late, older)["rows.state"] == older["rows.state"]).all()
    back = carried_over(market, older)
    assert all((back[name] == array).all() for name, array in state.items())


def test_data_cannot_be_older_where_seats_see_different_things_in_turn():
    market = make_market("procurement")
    with pytest.raises(ConfigError, match="only where every seat sees the same parts"):
        shown_market(market, {"buyer_0": ("price_0",)}, 1)


@pytest.mark.slow  # it compiles the loops of another market
def test_parts_of_one_phase_leave_the_others_as_they_are():
    market = make_market("procurement")
    buyer = market.seat("buyer_0")
    told = []
    for own in (market, shown_market(market, {"buyer_0": ("claim_0",)})):
        group = group_in(own)
        made = build_recording(build_game(own, kpis.resolve(own, None)), group.rows, 60)
        group.run(60, made)
        offers = made.observations[:, 0, 1, buyer.index]
        told.append([buyer.role.decode_observation(int(o)) for o in offers])
    claims = [{round_["claim_0"] for round_ in rounds} for rounds in told]
    prices = [{round_["price_0"] for round_ in rounds} for rounds in told]
    assert (len(claims[0]), len(claims[1])) == (2, 1)
    assert len(prices[0]) == len(prices[1]) == 2
