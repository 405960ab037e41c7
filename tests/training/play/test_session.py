"""A person in a seat: the same rules, the same draws, and nothing on the screen but its own."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from support.sessions.small_arms import arm_of, group_of, seats_of_every_role, sit_down
from support.training_fixtures import arm as small_arm

from tacit.agents.tabular.recording import NOTHING
from tacit.envs import rng
from tacit.envs.errors import ConfigError
from tacit.training.play.opening import check_session, session_among, why_nothing_to_decide
from tacit.training.play.rounds import earned_by, engine_of, session_key
from tacit.training.play.screen import NothingToDecide, RoundEnded, SessionEnded
from tacit.training.play.wording import value_text

SEATS = seats_of_every_role()
ROUNDS = 12


def played(session, choose):
    """Plays to the end; returns everything that was shown."""
    shown = list(session.opening)
    while (view := session.view) is not None:
        shown.append(view)
        shown += session.act(choose(session, view))
    return shown


def copying(session, view):
    return session.learned_action


def first(session, view):
    return view.choices[0].action


def last(session, view):
    return view.choices[-1].action


# --- the same rules and draws --------------------------------------------------------------------


@pytest.mark.parametrize("agent", ["q_learning", "ippo"])
@pytest.mark.parametrize(("name", "seat"), SEATS)
def test_whoever_copies_the_learned_policy_earns_what_it_earns(name, seat, agent):
    """To the last bit; policies of networks are mixed, so their draws are compared too."""
    session = sit_down(name, seat, ROUNDS, agent=agent)
    played(session, copying)
    sums = earned_by(session.population, session.name, ROUNDS)
    rewards = sums.scores[0, -len(session.arm.market.seats) :]
    assert session.total == rewards[session.seat.index]
    whole = np.zeros_like(sums.measures[0])
    for each in session.played:
        whole += each.measures
    assert np.array_equal(whole, sums.measures[0])


def test_the_learned_action_is_that_of_the_table_at_what_is_seen():
    """Found again from the text on the screen."""
    session = sit_down("tender", "buyer_0", ROUNDS)
    role, table = session.seat.role, session.population.tables[session.seat.index]
    texts = {
        ", ".join(f"{name} {value}" for name, value in _texts(role, o)): o
        for o in range(role.block_start(1), role.observations)
    }
    while (view := session.view) is not None:
        action = int(table[texts[view.text]].argmax())
        assert action == session.learned_action
        session.act(action)


def _texts(role, observation):
    values = role.decode_observation(observation)
    return [
        (part.name, value_text(part, values[part.name]))
        for part in role.observation_parts[1:]
        if part.name in values
    ]


@pytest.mark.parametrize(("name", "seat"), SEATS)
@pytest.mark.parametrize("learning", [False, True])
def test_every_market_and_seat_can_be_played(name, seat, learning):
    session = sit_down(name, seat, 3, learning=learning)
    shown = played(session, last)
    assert isinstance(shown[-1], SessionEnded)
    assert [e.round for e in shown if isinstance(e, RoundEnded)] == [1, 2, 3]
    assert len(session.played) == 3
    for each in session.played:
        for phase, own in enumerate(each.actions[:, session.seat.index]):
            o = each.observations[phase, session.seat.index]
            if o != NOTHING:  # legal, and the last one
                assert own == session.seat.role.legal[o].sum() - 1


@pytest.mark.parametrize("learning", [False, True])
def test_a_session_follows_from_its_name(learning):
    def rounds(name):
        session = sit_down("private", "bidder_0", 6, name, learning)
        played(session, first)
        return session.played

    one, again, other = rounds("a"), rounds("a"), rounds("b")
    for a, b in zip(one, again, strict=True):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
    assert any(not np.array_equal(a.observations, b.observations)
               for a, b in zip(one, other, strict=True))  # fmt: skip


def test_draws_come_from_a_stream_of_their_own():
    key = session_key(0, "a")
    streams = [getattr(rng, n) for n in dir(rng) if n.isupper() and not n.startswith("_")]
    assert len(set(streams)) == len(streams)
    engine = engine_of(sit_down("auction", "bidder_0").population, "a")
    assert engine.nature[0] == rng.child_key(key, 0)
    assert engine.actor[0] == rng.child_key(key, 1)
    assert session_key(1, "a") != key != session_key(0, "b")


@pytest.mark.parametrize("learning", [False, True])
@pytest.mark.parametrize("agent", ["q_learning", "ippo"])
def test_the_group_is_only_read(agent, learning):
    before = group_of("auction", agent).state()
    played(sit_down("auction", "bidder_0", 30, learning=learning, agent=agent), first)
    after = group_of("auction", agent).state()
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)


# --- learners that go on -------------------------------------------------------------------------


@pytest.mark.parametrize("agent", ["q_learning", "ippo", "stable", "weights"])
def test_the_others_learn_from_what_the_person_does(agent):
    """Bids of a person who gives way change what the rival learns, after a rule to stop as well."""
    low = sit_down("auction", "bidder_0", 120, learning=True, agent=agent)
    high = sit_down("auction", "bidder_0", 120, learning=True, agent=agent)
    start = low.source._before
    played(low, first)
    played(high, last)
    names = [n for n in start if n == "q_arrays.q" or n.startswith("learner.bidder_1")]
    assert names
    moved = [n for n in names if not np.array_equal(start[n], low.source._before[n])]
    assert moved
    assert any(not np.array_equal(low.source._before[n], high.source._before[n]) for n in moved)


@pytest.mark.parametrize("learning", [False, True])
def test_the_person_sits_in_the_first_of_several_copies(learning):
    arm = small_arm(
        "train.rounds=1000", "train.measure_last=500", "train.copies=3", "train.episode_rounds=40",
        config={"market": {"name": "ad_auction", "observe": "bids", "bids": 5}},
    )  # fmt: skip
    group = arm.group(0)
    group.run(1_000)
    session = session_among(group, arm, 0, arm.market.seats[0], 90, learning, "x", "run")
    role, before = session.seat.role, None
    while (view := session.view) is not None:
        if before is not None and view.round % 40 != 1:
            assert view.seen[1].value == before.text.removeprefix("bid ")
        before = view.choices[view.round % len(view.choices)]
        session.act(before.action)
    assert len(session.played) == 90
    assert role.decode_action(int(session.played[-1].actions[0, 0])) == before.parts


def test_a_decision_changes_nothing_of_what_came_before_it_in_the_round():
    for learning in (False, True):
        sessions = [sit_down("brief", "buyer_0", 1, learning=learning) for _ in range(2)]
        for session in sessions:
            session.act(first(session, session.view))
        assert sessions[0].view == sessions[1].view
        for session, choose in zip(sessions, (first, last), strict=True):
            session.act(choose(session, session.view))
        one, other = (session.played[0] for session in sessions)
        assert np.array_equal(one.observations[:3], other.observations[:3])
        assert np.array_equal(one.actions[:2], other.actions[:2])


# --- what is on the screen -----------------------------------------------------------------------


def strings(value):
    """Every text and number in a piece of data."""
    if dataclasses.is_dataclass(value):
        for f in dataclasses.fields(value):
            yield from strings(getattr(value, f.name))
    elif isinstance(value, tuple | list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from strings(key)
            yield from strings(each)
    else:
        yield value


@pytest.mark.parametrize(("name", "seat"), SEATS)
def test_the_screen_holds_what_the_seat_observes_and_nothing_more(name, seat):
    session = sit_down(name, seat, 4)
    role = session.seat.role
    while (view := session.view) is not None:
        phase = session.arm.market.phases.index(view.phase)
        trial = session.source.play(
            {p: own.action for p, own in session.decided(len(session.played)).items()}
        )
        o = int(trial.observations[phase, session.seat.index])
        values = role.decode_observation(o)
        parts = {p.name: p for b in role.blocks for p in (*b.sees, *(q for q, _ in b.given))}
        assert [(s.name.replace(" ", "_"), s.value) for s in view.seen] == [
            (n, value_text(_part(role, o, n), v)) for n, v in values.items() if n != "phase"
        ]
        legal = range(role.legal[o, 0], role.legal[o].sum())
        assert [c.action for c in view.choices] == list(legal)
        assert [c.parts for c in view.choices] == [role.decode_action(a) for a in legal]
        own = {*strings(view.seen), view.phase, view.round}
        known = {s for p in parts.values() for s in (p.meaning, p.name.replace("_", " "), p.name)}
        known |= {v for s in view.seen for v in (s.name, s.value)}
        assert own <= known | {view.phase, view.round}
        for event in session.act(view.choices[0].action):
            assert isinstance(event, RoundEnded | NothingToDecide | SessionEnded)
            if isinstance(event, RoundEnded):
                reward = session.played[-1].scores[-len(session.arm.market.seats) :]
                assert (event.reward, event.total) == (reward[session.seat.index], session.total)


def _part(role, observation, name):
    for k, block in enumerate(role.blocks):
        if role.block_start(k) <= observation < role.block_start(k) + block.size:
            return next(p for p in (*(q for q, _ in block.given), *block.sees) if p.name == name)
    raise AssertionError


def test_what_others_know_changes_nothing_on_the_screen():
    """Two markets that differ in a rival's private value alone."""
    shown = []
    for value in range(4):
        session = sit_down("private", "bidder_0", 1)
        column = [draw.column for draw in session.arm.market.analysis.draws(0)][1]  # of bidder_1
        session.source._before.rows.state[0, column] = value
        session._phase, session._decided = -1, [{}]
        session._go_on()
        shown.append(session.view)
    assert shown.count(shown[0]) == 4


def test_a_phase_without_a_choice_is_told_where_it_shows_something():
    session = sit_down("turns", "provider_1", 6)
    told = [e for e in played(session, last) if isinstance(e, NothingToDecide)]
    assert {e.seen[0].value for e in told} == {"rival"}
    assert len(told) == 3
    session = sit_down("auction", "bidder_0", 6)
    assert not [e for e in played(session, last) if isinstance(e, NothingToDecide)]


# --- mistakes and ends ---------------------------------------------------------------------------


def test_an_illegal_action_is_refused_and_nothing_happens():
    session = sit_down("brief", "buyer_0", 2)
    view = session.view
    for action in (-1, 6, 99):
        with pytest.raises(ValueError, match="not legal here"):
            session.act(action)
    assert session.view is view
    assert session.played == []
    played(session, first)
    with pytest.raises(ValueError, match="over"):
        session.act(0)
    with pytest.raises(ValueError, match="over"):
        session.learned_action  # noqa: B018


def test_a_session_that_is_left_keeps_what_was_played():
    session = sit_down("brief", "buyer_0", 9)
    session.act(first(session, session.view))
    session.stop()
    assert session.view is None
    assert session.played == []
    left, over = session.unfinished
    assert over == 2
    assert left.actions[0, session.seat.index] == session.decided(0)[0].action


def test_seconds_run_from_when_the_person_was_shown_something():
    ticks = iter([10.0, 12.5, 20.0, 20.25, 30.0])
    base = sit_down("auction", "bidder_0", 2)
    session = dataclasses.replace(base, clock=lambda: next(ticks), played=[])
    played(session, first)
    assert [session.decided(t)[0].seconds for t in range(2)] == [2.5, 0.25]


class RunOf:
    """As much of a run as is checked."""

    def __init__(self, arms):
        self.arms = arms


def test_a_seat_that_has_nothing_to_decide_is_refused():
    arm = arm_of("floor")
    market = type(arm.market)({"publisher": True, "bids": 1, "reserve": 0.4, "observe": "none"})
    seat = market.seat("bidder_0")
    assert why_nothing_to_decide(market, seat) is not None
    changed = dataclasses.replace(arm, market=market)
    with pytest.raises(ConfigError) as error:
        check_session(RunOf({"base": changed}), None, "bidder_0", 7, 0)
    lines = error.value.mistakes
    assert lines[0] == "--rounds: must be at least 1, got 0."
    assert lines[1] == "--seed: must be 0 to 0, got 7."
    assert lines[2].startswith("--seat: bidder_0 has nothing to decide here. ")
