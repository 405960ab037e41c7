"""Replays, paths and one-step payoffs at their bounds: cases small enough to count."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from support.populations import default_kpi, prices, scripted

from tacit.agents.policy import deterministic
from tacit.emergence.play import deviation_replays, replay_columns
from tacit.emergence.play.best_response import BestResponse
from tacit.emergence.play.chain import TEMPLATE, possible_only
from tacit.emergence.play.deviations import deviations
from tacit.emergence.play.limit_path import cycle_length, limit_path
from tacit.emergence.play.one_step_payoffs import _joint_actions_of_others, combinations
from tacit.emergence.play.replays import horizon, replay, unforced
from tacit.emergence.population import freeze
from tacit.envs import rng
from tacit.envs.jit.loops import compiled


@pytest.mark.parametrize("discount", [0.01, 0.5, 0.9, 0.95, 0.999])
@pytest.mark.parametrize("rest", [1e-9, 1e-3])
def test_a_horizon_is_the_first_round_from_which_little_is_left(discount, rest):
    """What is left after T rounds of payoff 1 is d^T / (1 - d)."""
    rounds = horizon(discount, rest)
    assert discount**rounds / (1 - discount) <= rest * (1 + 1e-9)
    assert discount ** (rounds - 1) / (1 - discount) > rest


def test_who_does_not_look_ahead_plays_one_round():
    assert horizon(0.0) == horizon(-0.5) == horizon(1e-12) == 1


def test_a_cycle_is_looked_for_in_the_last_rounds_only():
    early = [[5.0], [6.0], [7.0], [8.0], [9.0]]
    turns = np.array([*early, [1.0], [2.0], [1.0], [2.0]])
    assert cycle_length(turns, longest=2) == 2
    assert cycle_length(turns, longest=1) == 0  # one of two rounds is no period
    assert cycle_length(np.array([*early, [3.0], [3.0]]), longest=1) == 1
    thrice = np.array([[1.0], [2.0], [3.0]] * 2)
    assert (cycle_length(thrice, longest=3), cycle_length(thrice, longest=2)) == (3, 0)


def test_joint_actions_are_those_of_the_others_whatever_number_each_has():
    """Three seats of two, three and four actions; the last sees two things."""
    one, two = np.array([[0.25, 0.75]]), np.array([[0.2, 0.3, 0.5]])
    three = np.array([[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1]])
    population = SimpleNamespace(tables=(one, two, three))
    seen = np.array([[0, 0, 1], [0, 0, 0]])
    for seat, others in ((0, (1, 2)), (1, (0, 2)), (2, (0, 1))):
        actions, probability = _joint_actions_of_others(population, seen, seat)
        sizes = [population.tables[j].shape[1] for j in others]
        assert probability.shape == (2, np.prod(sizes))
        assert probability.sum(axis=1) == pytest.approx([1.0, 1.0])
        for n in range(2):
            pairs = {tuple(own[list(others)]) for own in actions[n]}
            assert pairs == {(a, b) for a in range(sizes[0]) for b in range(sizes[1])}
            for own, chance in zip(actions[n], probability[n], strict=True):
                assert own[seat] == 0
                first, second = (population.tables[j][seen[n, j], own[j]] for j in others)
                assert chance == pytest.approx(first * second)


def test_a_pure_table_meets_one_joint_action_and_a_mixed_one_all():
    market = prices()
    pure = scripted("grim_trigger")
    assert combinations(pure, 0) == market.roles[0].actions == 15
    mixed = replace(pure, tables=(pure.tables[0], 0.5 * pure.tables[0] + 0.5 / 15))
    assert combinations(mixed, 0) == combinations(mixed, 1) == 15 * 15


def test_what_rests_is_the_mean_of_the_last_rounds():
    """By default of the last one; seat 0 is forced to another price in round 0."""
    population = scripted("tit_for_tat")
    state = limit_path(population).states[:1]
    forced = unforced(2)
    forced[1, replay_columns.FORCED_SEAT], forced[1, replay_columns.FORCED_ACTION] = 0, 0
    found = [
        replay(population, np.repeat(state, 2, axis=0), forced, np.zeros(2, np.int64), state[:0],
               keep=4, rounds=4, **more)
        for more in ({}, {"resting": 3})
    ]  # fmt: skip
    price = population.market.columns["price"]
    one, three = (x.rest[:, :2, price] for x in found)
    conduct = found[0].conduct
    assert len(np.unique(conduct[1, :, 0])) > 1  # the price moves
    assert one == pytest.approx(conduct[:, -1])
    assert three == pytest.approx(conduct[:, 1:].mean(axis=1))


def test_a_forced_seat_repeats_its_own_actions_of_an_earlier_copy():
    """Seat 0 always takes price 2 and seat 1 price 7; in the second copy seat 1 begins with 5."""
    market = prices()
    tables = tuple(
        deterministic(seat.role, np.full(seat.role.observations, action))
        for seat, action in zip(market.seats, (2, 7), strict=True)
    )
    population = freeze(market, default_kpi(market), tables, seed=0)
    forced = unforced(2)
    forced[1] = 1, 5, 0
    found = replay(
        population, np.repeat(limit_path(population).states[:1], 2, axis=0), forced,
        np.zeros(2, np.int64), np.zeros((0, market.state_width)), keep=3, rounds=3,
    )  # fmt: skip
    first, second = np.array(market.grid)
    low, high = first[2], second[7]
    assert found.conduct[0] == pytest.approx(np.array([[low, high]] * 3))
    assert found.conduct[1] == pytest.approx(np.array([[low, second[5]], [low, high], [low, high]]))


@pytest.mark.parametrize(("within", "returns"), [(2, False), (3, True), (100, True)])
def test_a_path_is_met_again_within_so_many_rounds_or_not_at_all(monkeypatch, within, returns):
    """Deviation, both competitive, both collusive: the third round."""
    monkeypatch.setattr(deviation_replays, "RETURN_ROUNDS", within)
    found = deviations(scripted("win_stay_lose_shift"))
    assert found.returned == pytest.approx([3, 3])
    assert (found.returns == returns).all()


@pytest.mark.parametrize(("period", "settled"), [(1, True), (2, True), (3, False)])
def test_play_is_settled_if_it_goes_round_among_as_many_states_as_seats(period, settled):
    """Provider 0 goes through so many prices in turn, provider 1 stands still: two seats."""
    market = prices()
    own = np.arange(15 * 15) // 15  # what provider 0 posted last
    turn = np.where(own + 1 < period, own + 1, 0)
    tables = [deterministic(market.roles[0], acts) for acts in (turn, np.full(15 * 15, 4))]
    population = freeze(market, default_kpi(market), tables, 0)
    path = limit_path(population)
    assert path.period == period
    begin = path.states[:1]
    found = replay(population, begin, unforced(1), np.zeros(1, np.int64), begin[:0], rounds=20)
    assert found.settled.tolist() == [settled]


@pytest.mark.parametrize(("rounds", "settled"), [(2, False), (3, False), (4, True), (5, True)])
def test_play_is_settled_from_the_first_round_on_that_repeats_one(rounds, settled):
    """Provider 0 goes from step 3 down to step 0, one each round, and stays there."""
    market = prices()
    own = np.arange(15 * 15) // 15
    constant, falling = (
        freeze(
            market,
            default_kpi(market),
            [deterministic(market.roles[0], acts) for acts in (first, np.full(15 * 15, 4))],
            0,
        )
        for first in (np.full(15 * 15, 3), np.maximum(own - 1, 0))
    )
    begin = limit_path(constant).states[:1]
    found = replay(
        falling, begin, unforced(1), np.zeros(1, np.int64), begin[:0], keep=rounds, rounds=rounds
    )
    posted = [market.grid[0][max(2 - t, 0)] for t in range(rounds)]
    assert found.conduct[0, :, 0] == pytest.approx(np.array(posted))
    assert found.settled.tolist() == [settled]


def test_a_gain_is_what_the_best_earns_beyond_the_own():
    assert BestResponse("s", "kpi", own=0.25, best=1.0, exact=True).gain == 0.75


def test_a_state_on_no_path_is_never_returned_to():
    population = scripted("collusive")
    state = limit_path(population).states[:1]
    copies = np.zeros(1, np.int64)
    met = replay(population, state, unforced(1), copies, state, rounds=3)
    never = replay(population, state, unforced(1), copies, state + 0.5, rounds=3)
    assert (met.returned.tolist(), never.returned.tolist()) == ([0], [-1])
    assert default_kpi(prices()) is population.kpi


# --- value iteration ------------------------------------------------------------------------------


def every_action(successor, probability, payoff, discount, tolerance):
    """Value iteration over all actions in every sweep, in plain Python."""
    values, change = np.zeros(len(payoff)), tolerance
    while change >= tolerance:
        change = 0.0
        for n in range(len(payoff)):
            best = -np.inf
            for a in np.flatnonzero(np.isfinite(payoff[n])):
                value = payoff[n, a]
                for j in range(probability.shape[1]):
                    value += discount * probability[n, j] * values[successor[n, a, j]]
                best = max(best, value)
            change = max(change, abs(best - values[n]))
            values[n] = best
    return values


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.95])
@pytest.mark.parametrize("joint", [1, 3])
def test_actions_that_are_left_out_change_no_bit_of_a_value(discount, joint):
    for seed in range(4):
        key = rng.seed_key(seed, rng.PROBE)
        numbers = np.split(
            rng.draws(key, 60 * (2 + joint) + 12 * joint), [60, 120, 60 * (2 + joint)]
        )
        payoff = (numbers[0].reshape(12, 5) - 0.5) * 10.0**seed
        payoff[numbers[1].reshape(12, 5) < 0.2] = -np.inf
        payoff[:, 0] = np.round(numbers[0][:12], 1)  # one is always legal
        payoff[:, 1] = payoff[:, 0]  # and one as good, where it leads to the same node
        successor = (numbers[2] * 12).astype(np.int32).reshape(12, 5, joint)
        successor[:6, 1] = successor[:6, 0]
        probability = numbers[3].reshape(12, joint) + 0.1
        probability /= probability.sum(axis=1, keepdims=True)
        values = np.zeros(12)
        left = compiled(TEMPLATE, None).iterate(
            successor, probability, payoff, discount, 1e-10, 100_000, values
        )
        assert left > 0
        expected = every_action(successor, probability, payoff, discount, 1e-10)
        assert values.tobytes() == expected.tobytes()


def test_successors_of_probability_0_are_left_out_in_order():
    successor = np.arange(8, dtype=np.int32).reshape(2, 4)
    probability = np.array([[0.0, 0.25, 0.0, 0.75], [0.0, 0.0, 1.0, 0.0]])
    kept, share = possible_only(successor, probability)
    assert kept.tolist()[0] == [1, 3]
    assert share.tolist() == [[0.25, 0.75], [1.0, 0.0]]
    assert kept[1, 0] == 6
    full = np.full((2, 4), 0.25)
    assert possible_only(successor, full)[0] is successor
