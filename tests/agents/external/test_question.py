"""Observations and actions in words: what is said is what is seen, for every market."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.every_market import CASES

from tacit.agents.external.question import (
    LETTERS,
    WORDINGS,
    Questions,
    as_parts,
    read_name,
    read_words,
)
from tacit.envs.registry import make_market

MOST = 40  # observations of a role that are looked at


def some(count: int) -> list[int]:
    """Indices 0 .. count - 1, or MOST of them, spread out."""
    return sorted({int(k) for k in np.linspace(0, count - 1, min(count, MOST))})


@pytest.mark.parametrize("case", CASES)
def test_words_are_the_parts(case):
    market = make_market(*case)
    for role in market.roles:
        seat = next(s for s in market.seats if s.role is role)
        questions = Questions(market, seat.name)
        for o in some(role.observations):
            parts = role.decode_observation(o)
            for wording in range(WORDINGS):
                question = questions.at(o, wording=wording)
                assert read_words(market, role, question.words()) == parts
            shown = {"phase": market.phases[parts["phase"]]}
            shown |= {name: value for name, value in parts.items() if name != "phase"}
            assert json.loads(json.dumps(question.plain()))["observation"] == shown


@pytest.mark.parametrize("case", CASES)
def test_every_legal_action_has_a_name_of_its_own_that_reads_back(case):
    market = make_market(*case)
    for role in market.roles:
        seat = next(s for s in market.seats if s.role is role)
        questions = Questions(market, seat.name)
        starts = [role.block_start(k) for k in range(len(role.blocks))]
        for o in starts:
            first, count = role.legal[o]
            backwards = range(int(count) - 1, -1, -1)
            question = questions.at(o, order=backwards)
            assert len(set(question.names)) == len(set(question.labels)) == count
            for k, name in enumerate(question.names):
                assert read_name(question, name) == k
                assert read_name(question, question.labels[k]) == k
                assert as_parts(question, question.actions[k]) == k
                assert question.actions[k] == role.decode_action(int(first + count - 1 - k))


def test_probabilities_are_put_into_the_order_of_the_table():
    question = Questions(make_market("ad_auction", {"bids": 3}), "bidder_0").at(0, (2, 0, 1))
    assert [a["bid"] for a in question.actions] == [0.75, 0.25, 0.5]
    assert question.in_table_order(np.array([0.7, 0.2, 0.1])).tolist() == [0.2, 0.1, 0.7]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("B", 1), (" B.", 1), ("b", None), ("B. bid 0.25", 1), ("bid 0.5", 2), ("Bid = .500", 2),
        ("0.75", 0), ("**0.75**", 0), ("", None), ("0.3", None), ("D", None),
        ("I would bid 0.5", None), ("bid 0.5 or bid 0.25", None), ("\x1b[31mA", None),
    ],
)  # fmt: skip
def test_answers_in_words_name_an_action_or_none(text, place):
    question = Questions(make_market("ad_auction", {"bids": 3}), "bidder_0").at(0, (2, 0, 1))
    assert read_name(question, text) == place


def test_labels_are_letters_as_long_as_there_are_enough():
    market = make_market("cloud_bandwidth", {"prices": len(LETTERS)})
    assert Questions(market, "provider_0").at(0).labels == tuple(LETTERS)
    more = make_market("cloud_bandwidth", {"prices": len(LETTERS) + 1})
    assert Questions(more, "provider_0").at(0).labels[-1] == str(len(LETTERS) + 1)


def test_words_of_another_seat_or_of_nobody_are_refused():
    market = make_market("procurement", {})
    words = Questions(market, "supplier_0").at(0).words()
    with pytest.raises(ValueError, match="no buyer sees this"):
        read_words(market, market.role("buyer"), words)
    with pytest.raises(ValueError, match="no line"):
        read_words(market, market.role("buyer"), "hello")


def test_an_observation_that_does_not_exist():
    questions = Questions(make_market("ad_auction", {}), "bidder_0")
    with pytest.raises(ValueError, match=r"observation 99 of a bidder is not in 0 .. 0"):
        questions.at(99)
