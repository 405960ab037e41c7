"""The score: against every way to play, by hand, and where it is withheld."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from support.sessions.small_arms import arm_of, group_of, sit_down

from tacit.emergence.objective.patient_regret import rounds_are_independent
from tacit.emergence.tree.enumeration import enumerate_round
from tacit.emergence.tree.expectations import expected_outcome
from tacit.emergence.tree.initial_states import state_without_past
from tacit.emergence.tree.round_tree import legal_actions
from tacit.envs.engine.engine import Engine
from tacit.envs.engine.policy_tables import cumulative
from tacit.training.play import score as scores
from tacit.training.play.closing_text import score_lines, transcript_lines
from tacit.training.play.opening import session_among
from tacit.training.play.score import NOTHING_DRAWN, SAME_DRAWS, best_of, score_of

INDEPENDENT = [("tender", "supplier_0"), ("tender", "buyer_0"), ("counter", "supplier_0"),
               ("counter", "buyer_0"), ("brief", "buyer_0"), ("talk", "sender_0"),
               ("talk", "receiver_0"), ("booked", "supplier_0")]  # fmt: skip
CHAINED = [
    ("clouds", "provider_0"),
    ("outputs", "firm_1"),
    ("turns", "provider_1"),
    ("sold", "provider_0"),
]


def finished(session, choose):
    while (view := session.view) is not None:
        session.act(choose(session, view))
    return session


def by_table(table):
    """A person who does what a table says, found from what is on the screen."""

    def choose(session, view):
        role, phases = session.seat.role, session.arm.market.phases
        for o in range(role.observations):
            values = role.decode_observation(o)
            names = {p.name.replace(" ", "_"): p.value for p in view.seen}
            same = all(
                _equal(names[n], v) for n, v in values.items() if n != "phase" and n in names
            )
            if phases[values.pop("phase")] == view.phase and same and len(values) == len(names):
                return int(table[o].argmax())
        raise AssertionError(view)

    return choose


def _equal(text, value):
    return text == str(value) or (isinstance(value, float) and abs(float(text) - value) < 1e-2)


# --- rounds that are independent -----------------------------------------------------------------


@pytest.mark.parametrize(("name", "seat"), INDEPENDENT)
def test_the_best_responder_has_the_score_1_and_nobody_expects_more(name, seat, luck):
    arm = arm_of(name)
    market, i = arm.market, arm.market.seat(seat).index
    assert rounds_are_independent(market, arm.kpi)
    population = sit_down(name, seat).population
    best = best_of(population, i, "session", 40)
    assert best.basis == SAME_DRAWS
    session = finished(sit_down(name, seat, 40), by_table(best.table))
    assert session.total == best.total
    if best.total > 1e-9:
        assert score_of(session).share == 1.0
    # In expectation: the whole tree of a round, every legal action of everybody in it.
    tree = enumerate_round(
        market, arm.kpi, legal_actions(market), state_without_past(market, arm.kpi)
    )

    def expected(table):
        tables = [*population.tables]
        tables[i] = table
        return float(expected_outcome(tree, tables, tree.rewards[:, i]))

    assert expected(best.table) == pytest.approx(best.per_round, abs=1e-12)
    legal = legal_actions(market)[i]
    for _ in range(200):
        table = legal * luck.exponential(size=legal.shape) ** 3
        assert expected(table / table.sum(axis=1, keepdims=True)) <= best.per_round + 1e-12


def test_a_best_response_by_hand():
    """The receiver of cheap talk: to every message the action nearest the mean state behind it."""
    population = sit_down("talk", "receiver_0").population
    sender, market = population.tables[0], population.market
    best = best_of(population, 1, "session", 10)
    role = market.seats[1].role
    for message, own in enumerate(sender[:3].T[:3]):
        if own.sum():
            mean = float(own @ np.array(market.states)) / own.sum()
            action = role.decode_action(int(best.table[1 + message].argmax()))["action"]
            assert abs(action - mean) == min(abs(a - mean) for a in market.grid)


# --- the joint chain -----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "seat"), CHAINED)
def test_the_best_of_all_sequences_of_actions_is_the_best_response(name, seat):
    """Nothing is drawn and the others' policies are pure, so a plan is a sequence of actions."""
    rounds = 3
    first = sit_down(name, seat, rounds)
    best = best_of(first.population, first.seat.index, "session", rounds)
    assert best.basis == NOTHING_DRAWN

    def follow(plan):
        steps = iter(plan)
        own = sit_down(name, seat, rounds)
        return finished(own, lambda _, view: view.choices[next(steps)].action)

    count, decisions = (
        len(first.view.choices),
        sum(len(follow([0] * rounds).decided(t)) for t in range(rounds)),
    )
    plans = list(product(range(count), repeat=decisions))
    totals = [follow(plan).total for plan in plans]
    assert max(totals) == pytest.approx(best.total, abs=1e-9)
    score = score_of(follow(plans[int(np.argmax(totals))]))
    assert score.share == pytest.approx(1.0, abs=1e-12)


def test_where_the_others_mix_the_best_response_is_an_expectation():
    """Mean rewards of many sessions under any fixed plan stay below it."""
    first = sit_down("clouds", "provider_0", 3, agent="weights")
    best = best_of(first.population, 0, "session", 3)
    assert best.basis == scores.EXPECTED
    population = first.population
    for action in range(4):
        role = population.market.seats[0].role
        table = np.zeros((role.observations, role.actions))
        table[:, action] = 1.0
        engine = Engine(population.market, population.kpi, [5], 4_000)
        engine.reset()
        engine.rows.state[:] = population.rows.state
        engine.rows.observations[:] = population.rows.observations
        tables = cumulative(population.market, [table, population.tables[1]])[None]
        sums = engine.play(tables, 3).scores[:, -2]
        error = sums.std() / np.sqrt(len(sums))
        assert sums.mean() <= best.total + 4 * error


# --- beside it -----------------------------------------------------------------------------------


def test_what_the_learned_policy_earns_is_beside_it():
    session = finished(sit_down("outputs", "firm_0", 9), lambda s, view: s.learned_action)
    score = score_of(session)
    assert (score.earned, score.fundamental) == (score.trained, score.trained_fundamental)
    assert score.share == score.trained_share
    other = finished(sit_down("outputs", "firm_0", 9), lambda s, view: view.choices[0].action)
    assert score_of(other).trained == score.trained
    text = "\n".join(score_lines(other, score_of(other)))
    assert "with the same draws" in text
    assert f"is {score_of(other).share:.3f}; that of the learned policy is" in text


WITHHELD = [
    ("hours", "bidder_0", scores.LASTING),
    ("day", "bidder_0", "a round of ad_auction has several phases here"),
    ("surge", "tenant_0", "a round of cloud_bandwidth has several phases here"),
    ("record", "buyer_0", "a round of procurement has several phases here"),
    ("prices", "firm_0", "what follows depends on luck in quantity_competition here"),
]


@pytest.mark.parametrize(("name", "seat", "reason"), WITHHELD)
def test_where_no_best_response_can_be_computed_the_reason_is_told(name, seat, reason):
    session = finished(sit_down(name, seat, 2), lambda s, view: view.choices[0].action)
    score = score_of(session)
    assert (score.best, score.share, score.reason) == (None, None, reason)
    assert score.trained is not None
    lines = list(score_lines(session, score))
    assert lines[-1] == f"A best response is withheld: {reason}."


def test_learners_no_round_and_losses_have_no_share():
    learning = finished(
        sit_down("auction", "bidder_0", 2, learning=True), lambda s, view: view.choices[0].action
    )
    assert score_of(learning).reason == scores.LEARNING
    left = sit_down("auction", "bidder_0", 2)
    left.stop()
    assert score_of(left).reason == scores.NO_ROUND
    assert list(score_lines(left, score_of(left))) == [
        "No round was finished, so there is no score."
    ]
    talk = finished(sit_down("talk", "receiver_0", 5), lambda s, view: view.choices[0].action)
    score = score_of(talk)
    assert score.best is not None
    assert score.share is None
    assert "a round less." in list(score_lines(talk, score))[-1]
    same = replace(score, earned=score.best.total)
    assert list(score_lines(talk, same))[-1].endswith("; you earned as much.")


def test_a_lottery_within_a_round_withholds_it(monkeypatch):
    session = finished(sit_down("tender", "buyer_0", 2), lambda s, view: view.choices[0].action)
    luck = property(lambda self: True)
    monkeypatch.setattr(type(session.arm.market.analysis), "luck", luck)
    assert score_of(session).reason == scores.LOTTERY


# --- the transcript ------------------------------------------------------------------------------


def test_the_transcript_tells_what_was_private_to_the_others():
    session = finished(sit_down("tender", "buyer_0", 6), lambda s, view: view.choices[0].action)
    text = "\n".join(transcript_lines(session))
    role = session.arm.market.role("supplier")
    for t, each in enumerate(session.played):
        block = text.split(f"Round {t + 1}\n")[1].split("\nRound")[0]
        for i in range(2):
            lead = role.decode_observation(int(each.observations[0, i]))["lead"]
            promise = role.decode_action(int(each.actions[0, i]))["promise"]
            told = f"its promise was {promise}, but its lead was {lead}: false"
            if lead == promise:
                told = f"its lead was {lead}"
            assert f"    supplier_{i}: {told}" in block
    assert "buyer_0: its" not in text


def test_a_seat_with_two_private_parts_has_both_told():
    """A false claim about one of them hides nothing of the other."""
    session = finished(sit_down("private_lead", "buyer_0", 20), lambda s, v: v.choices[0].action)
    lines = [line for line in transcript_lines(session) if line.startswith("    supplier_0: ")]
    assert len(lines) == 20
    assert all("its stock was" in line and "its lead was" in line for line in lines)
    assert {line.count(": false") for line in lines} & {1, 2}


def test_of_a_long_session_the_last_rounds_are_told():
    group, arm = group_of("auction"), arm_of("auction")
    session = session_among(group, arm, 0, arm.market.seats[0], 55, False, "long", "run")
    finished(session, lambda s, view: view.choices[0].action)
    lines = list(transcript_lines(session))
    assert lines[0] == "(Rounds 1 to 5 are in the file.)"
    assert lines[1] == "Round 6"
    assert sum(line.startswith("Round ") for line in lines) == 50


def test_a_score_is_a_share():
    one = scores.Score(2, 3.0, 3.0, 1.5, 1.5, scores.Best(6.0, 3.0, SAME_DRAWS))
    assert (one.share, one.trained_share) == (0.5, 0.25)
    assert replace(one, best=scores.Best(0.0, 0.0, SAME_DRAWS)).share is None
