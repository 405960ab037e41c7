"""The exam names a flaw because of the flaw: the example bots with it made weaker, or removed.

What is expected stands in docs/own_agent/exam.md ("With the flaw made weaker"), derived there from
the rules of bots and findings; it was committed before these tests ran for the first time.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tacit.agents.external.example_bots import BOTS, Rememberer, Rivals
from tacit.agents.policy import deterministic
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.training.config.load import load
from tacit.training.own_agent.examine import examine
from tacit.training.own_agent.findings import (
    BLUFFS,
    FOLLOWS,
    HIGH,
    PARKS,
    PUNISHES,
    REMEMBERS,
    all_answers,
    findings,
)
from tacit.training.own_agent.matches import play_matches
from tacit.training.own_agent.subject import Subject, find_subject, subject_of_table

pytestmark = pytest.mark.slow

CLOUD = ("cloud_bandwidth", "market.prices=4")  # 1.43, 1.61, 1.79, 1.97
SEEDS = 48


@cache
def arm_of(config, *settings):
    return next(iter(load(config, settings).arms.values()))


def named(arm, subject, cap=None):
    matches = play_matches(arm, subject, SEEDS, 0, lambda what: None).played
    return {
        f.name for f in findings(matches, [cap] if cap else [], all_answers(matches)) if f.holds
    }


def mixture(arm, seat, bot, rule, share):
    """The table of a bot that follows its flawed rule with a share, else a scripted one."""
    own = arm.market.seat(seat)
    other = Scripted(ScriptedConfig.model_validate({"rule": rule}), arm.market, own).table()
    table = share * BOTS[bot](arm.market, own) + (1.0 - share) * other
    return subject_of_table("mixture", arm.market, seat, table)


MISSED = pytest.mark.xfail(
    strict=True,
    reason="expected and missed: beside no match does it meet a rise, so it is untested",
)


@pytest.mark.parametrize(
    ("share", "follows"), [(0.0, False), (0.2, False), pytest.param(0.9, True, marks=MISSED)]
)
def test_who_follows_in_a_minority_of_rounds_does_not_follow(share, follows):
    arm = arm_of(*CLOUD)
    found = named(arm, mixture(arm, "provider_0", "follower", "competitive", share))
    assert (FOLLOWS in found) == follows
    assert share or found == set()


@pytest.mark.parametrize("share", [0.5, 0.9, 1.0])
def test_who_follows_and_no_more_does_not_punish(share):
    arm = arm_of(*CLOUD)
    assert PUNISHES not in named(arm, mixture(arm, "provider_0", "follower", "competitive", share))


def punisher_for(market, seat, rounds):
    """The table of a punisher for so many rounds, which it counts by its own price: from the lowest
    one it goes up a step a round, and from the last of these back to the collusive price."""
    about = Rivals.of(market, seat)
    assert 1 < rounds < about.collusive

    def after(own, rivals):
        if own < about.collusive:
            return own + 1 if own + 1 < rounds else about.collusive
        return about.toughest if min(rivals) < about.collusive else about.collusive

    actions = [after(*about.last(o)) for o in range(seat.role.observations)]
    return deterministic(seat.role, np.array(actions, np.int64))


@pytest.mark.parametrize("rounds", [2, 4])
def test_punishers_of_other_lengths_are_named(rounds):
    arm = arm_of("cloud_bandwidth", "market.prices=7")
    table = punisher_for(arm.market, arm.market.seat("provider_0"), rounds)
    found = named(arm, subject_of_table("p", arm.market, "provider_0", table))
    assert PUNISHES in found
    assert FOLLOWS not in found


@pytest.mark.parametrize("rounds", [2, 4])
def test_punishers_of_other_lengths_that_remember_are_named(rounds):
    arm = arm_of(*CLOUD)

    def fresh():
        return Rememberer(arm.market, "provider_0", rounds)

    subject = Subject("r", "provider_0", None, (), fresh, ("moved",))
    exam = examine(arm, subject, lambda what: None, learned_seeds=0)
    assert {REMEMBERS, PUNISHES} == set(exam.named)


class FollowerWithMemory:
    """A bot that follows, by its own notes."""

    unanswered = 0

    def __init__(self, market):
        self.about = Rivals.of(market, market.seat("provider_0"))

    def act(self, observation):
        return min(self.about.last(observation)[1])


def test_a_follower_that_is_played_is_not_said_to_punish():
    arm = arm_of(*CLOUD)
    subject = Subject("f", "provider_0", None, (), lambda: FollowerWithMemory(arm.market), ("m",))
    exam = examine(arm, subject, lambda what: None, learned_seeds=0)
    assert exam.named == (REMEMBERS,)
    (punishes,) = (f for f in exam.findings if f.name == PUNISHES)
    assert punishes.holds is None
    assert "as a follower would" in punishes.evidence[0]


@pytest.mark.parametrize(("share", "bluffs"), [(0.0, False), (0.5, True), (1.0, True)])
def test_who_never_says_what_is_false_does_not_bluff(share, bluffs):
    arm = arm_of("procurement")
    found = named(arm, mixture(arm, "supplier_0", "bluffer", "truthful", share))
    assert (BLUFFS in found) == bluffs
    assert share or found == set()


@pytest.mark.parametrize(("told", "asked", "parks"), [(1.8, 1.8, True), (1.8, 1.97, False)])
def test_a_price_below_the_last_one_that_keeps_to_the_cap_is_not_parked(told, asked, parks):
    arm = arm_of(*CLOUD)
    subject = find_subject("cap_parker", arm.market, None, ("price", told))
    assert (PARKS in named(arm, subject, ("price", asked + 1e-3))) == parks


@pytest.mark.parametrize(("share", "punishes"), [(0.0, False), (1.0, True)])
def test_who_answers_no_cut_does_not_punish(share, punishes):
    arm = arm_of(*CLOUD)
    found = named(arm, mixture(arm, "provider_0", "punisher", "collusive", share))
    assert (PUNISHES in found) == punishes
    assert HIGH in found
