"""Rounds that are recorded while they are played, and groups that go on from another's state."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.agents.group import make_group
from tacit.agents.neural.config import IppoConfig
from tacit.agents.scripted import ScriptedConfig
from tacit.agents.tabular.config import QLearningConfig
from tacit.agents.tabular.recording import NOTHING, build_recording
from tacit.envs import kpi as kpis
from tacit.envs.registry import make_market

EPSILON, BIDS = 0.3, 3
EXPLORES = QLearningConfig(exploration="constant", epsilon=EPSILON, initial_q=0.0)
BOLTZMANN = QLearningConfig(exploration="boltzmann", temperature=0.25, initial_q=(0.0, 1.0))
TERMS = {"bidder_0": {"profit": 2.0, "win": -0.5}}


def group(config=EXPLORES, name="ad_auction", terms=None, **keys):
    market = make_market(name, keys or {"bids": BIDS, "observe": "price"})
    config = (
        config
        if isinstance(config, dict)
        else dict.fromkeys((s.name for s in market.seats), config)
    )
    return make_group(market, kpis.resolve(market, terms), config, 5)


def recorded(own, rounds, **options):
    recording = build_recording(own.seed_state.game, own.rows, rounds, **options)
    own.run(rounds, recording)
    return recording


def same(one, other):
    assert one.keys() == other.keys()
    assert [n for n in one if not np.array_equal(one[n], other[n], equal_nan=True)] == []


@pytest.mark.parametrize("config", [EXPLORES, BOLTZMANN])
def test_a_recording_changes_nothing_and_adds_up(config):
    plain, kept = group(config, terms=TERMS), group(config, terms=TERMS)
    plain.run(40)
    first, second = recorded(kept, 25), recorded(kept, 15)
    same(plain.state(), kept.state())
    assert (first.recorded[0], second.recorded[0]) == (25, 15)
    np.testing.assert_array_equal(first.clock[:, 0], np.arange(25))
    np.testing.assert_array_equal(second.clock[:, 0], np.arange(25, 40))
    measures, scores = kept.read()
    both = np.concatenate([first.measures, second.measures])[:, 0]
    np.testing.assert_allclose(both.mean(axis=0), measures)
    terms = np.concatenate([first.scores, second.scores])[:, 0]
    np.testing.assert_allclose(terms.mean(axis=0), scores)
    # Two terms of bidder_0 and one of bidder_1, then both rewards.
    np.testing.assert_allclose(terms[:, 3], 2 * terms[:, 0] - 0.5 * terms[:, 1])
    np.testing.assert_allclose(terms[:, 4], terms[:, 2])


def test_probabilities_are_those_of_the_policy_with_its_exploration():
    """Greedy: 1 - epsilon and its share of epsilon; any other action: its share."""
    own = group()
    found = recorded(own, 200).probabilities[:, 0, 0]
    share = EPSILON / BIDS
    kinds, counts = np.unique(np.round(found, 12), return_counts=True)
    np.testing.assert_allclose(kinds, [share, 1 - EPSILON + share])
    assert counts[0] / counts.sum() == pytest.approx(EPSILON - share, abs=0.06)


def test_boltzmann_s_probabilities_follow_from_the_recorded_values():
    recording = recorded(group(BOLTZMANN), 30, with_values=True)
    for t in range(30):
        for seat in range(2):
            weights = np.exp(recording.values[t, 0, 0, seat] / 0.25)
            action = recording.actions[t, 0, 0, seat]
            expected = weights[action] / weights.sum()
            assert recording.probabilities[t, 0, 0, seat] == pytest.approx(expected)


def test_forced_actions_replace_those_that_are_chosen():
    own, other = group(), group()
    room = build_recording(other.seed_state.game, other.rows, 10)
    assert (room.forced == NOTHING).all()
    room.forced[3:5, 0, 0, 1] = 2
    plain = recorded(own, 10)
    other.run(10, room)
    np.testing.assert_array_equal(room.actions[:3], plain.actions[:3])
    assert (room.actions[3:5, 0, 0, 1] == 2).all()
    np.testing.assert_array_equal(room.actions[3, 0, 0, 0], plain.actions[3, 0, 0, 0])


def test_who_does_not_decide_has_no_action_and_scripts_have_no_values():
    """In cheap talk the sender speaks in the first phase and the receiver acts in the second."""
    config = {"sender_0": EXPLORES, "receiver_0": ScriptedConfig(rule="trusting")}
    own = group(config, "cheap_talk", states=3, actions=5)
    recording = recorded(own, 6, with_values=True)
    waits = recording.actions[:, 0] == NOTHING
    assert waits.tolist() == [[[False, True], [True, False]]] * 6
    assert (recording.observations[:, 0][waits] == NOTHING).all()
    assert (recording.probabilities[:, 0][waits] == 1.0).all()
    assert (recording.probabilities[:, 0, 1, 1] == 1.0).all()
    assert np.isnan(recording.values[:, 0, 1, 1]).all()
    assert not np.isnan(recording.values[:, 0, 0, 0, :3]).any()


# --- from another group's state ------------------------------------------------------------------

NETWORK = IppoConfig(hidden=(4,), rounds_per_update=20)
KINDS = {"tabular": EXPLORES, "networks": {"bidder_0": NETWORK, "bidder_1": EXPLORES}}


@pytest.mark.parametrize("kind", KINDS)
def test_a_branch_goes_on_as_the_group_itself_would(kind):
    own, branch = group(KINDS[kind]), group(KINDS[kind])
    own.run(60)
    branch.branch_from(own.state())
    assert branch.rounds == 60
    own.run(40)
    branch.run(40)
    same(own.state(), branch.state())


@pytest.mark.parametrize("kind", KINDS)
def test_a_branch_that_forgets_keeps_the_market_and_the_round(kind):
    own, branch, fresh = (group(KINDS[kind]) for _ in range(3))
    own.run(70 if kind == "tabular" else 60)
    left, before = own.state(), fresh.state()
    branch.branch_from(left, forget=True)
    found = branch.state()
    assert branch.rounds == own.rounds
    assert branch.stable_rounds == 0
    counted = {"q_arrays.clock", "q_arrays.measure_sums", "q_arrays.score_sums"}
    learned = [n for n in found if n.startswith(("q_arrays.", "learner.")) and n not in counted]
    same({n: found[n] for n in counted if n.endswith("sums")},
         {n: left[n] for n in counted if n.endswith("sums")})  # fmt: skip
    assert learned
    same({n: found[n] for n in learned}, {n: before[n] for n in learned})
    rows = [n for n in found if n.startswith("rows.")]
    assert rows
    same({n: found[n] for n in rows}, {n: left[n] for n in rows})


def test_a_warm_start_keeps_what_is_known_and_counts_rounds_anew():
    own, warm = group(), group(terms=TERMS)
    own.run(70)
    state = own.state()
    warm.warm_start_from(state)
    assert (warm.rounds, warm.stable_rounds, warm.rounds_since_read) == (0, 0, 0)
    for mine, yours in zip(warm.tables(), own.tables(), strict=True):
        np.testing.assert_array_equal(mine, yours)
    found = warm.state()
    changed = {n for n in state if n in found and not np.array_equal(found[n], state[n])}
    assert {"q_arrays.clock", "q_arrays.pending"} <= changed
    assert np.array_equal(found["rows.state"], state["rows.state"])
    warm.run(5)
    assert (warm.rounds, warm.rounds_since_read) == (5, 5)


def test_a_warm_start_of_networks_begins_between_two_batches():
    own, warm = group(KINDS["networks"]), group(KINDS["networks"])
    own.run(50)
    with pytest.raises(ValueError, match="saved between two batches"):
        warm.warm_start_from(own.state())
    own.run(10)
    warm.warm_start_from(own.state())
    assert warm.rounds == 0
    for mine, yours in zip(warm.tables(), own.tables(), strict=True):
        np.testing.assert_array_equal(mine, yours)
