"""Names of values and actions, and what people type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.every_market import CASES
from support.sessions.small_arms import sit_down

from tacit.agents.external.words_of_values import value_texts
from tacit.envs.market import WAIT, Block, Part, Role
from tacit.envs.registry import make_market
from tacit.training.play.wording import (
    AnswerError,
    amount_text,
    choice_of,
    choices,
)


def role_of(*parts: Part) -> Role:
    return Role("player", 1, "payoff", "payoff", (Block(0, (), parts), Block(1, (), WAIT)))


def typed(role: Role, text: str) -> str:
    return choice_of(choices(role, 0), role, text).text


def refused(role: Role, text: str) -> str:
    with pytest.raises(AnswerError) as error:
        typed(role, text)
    return str(error.value)


BID = Part("bid", tuple(k / 20 for k in range(1, 20)), "what it offers")
OFFER = (Part("price", (0.2, 0.4), ""), Part("claim", ("plenty", "scarce"), ""))
RESPONSE = Part("response", ("walk", "accept supplier_0", "counter supplier_0 at 0.5"), "")
DAYS = Part("days", (0, 1, 2), "")


@pytest.mark.parametrize("case", CASES)
def test_every_action_of_every_market_can_be_typed_by_number_and_by_name(case):
    market = make_market(*case)
    for role in market.roles:
        for start in {int(first) for first in role.legal[:, 0]}:
            o = next(k for k in range(role.observations) if role.legal[k, 0] == start)
            known = choices(role, o)
            assert len({choice.text for choice in known}) == len(known)
            for choice in known[:: max(1, len(known) // 40)]:
                assert choice_of(known, role, f"#{choice.number}") is choice
                assert choice_of(known, role, choice.text) is choice
                assert choice_of(known, role, f"  {choice.text.upper()} ") is choice


@pytest.mark.parametrize("text", ["bid 0.45", "bid .45", "Bid=0.450", "0.45", "#9", "9", " 009 "])
def test_one_bid_in_many_spellings(text):
    assert typed(role_of(BID), text) == "bid 0.45"


@pytest.mark.parametrize(
    "text", ["price 0.4, claim scarce", "price .4 claim scarce", ".4 scarce", "4"]
)
def test_an_action_of_several_parts(text):
    assert typed(role_of(*OFFER), text) == "price 0.4, claim scarce"


def test_an_action_that_is_a_word_needs_no_name_of_its_part():
    role = role_of(RESPONSE)
    assert typed(role, "accept supplier_0") == "accept supplier_0"
    assert typed(role, "response walk") == "walk"
    assert typed(role, "counter supplier_0 at .50") == "counter supplier_0 at 0.5"


@pytest.mark.parametrize(
    ("parts", "text", "near"),
    [
        ((BID,), "bid 0.47", "bid 0.45"),
        ((BID,), "bdi 0.93", "bid 0.95"),
        ((BID,), "bid nan", "bid 0."),
        ((BID,), "bid 1e400", "bid 0."),
        ((RESPONSE,), "acept suplier_0", "accept supplier_0"),
        (OFFER, "price 0.4", "price 0.4, claim plenty"),
        (OFFER, "price 0.4, claim scarse", "price 0.4, claim scarce"),
        (OFFER, "xyz", "price 0."),
    ],
)
def test_the_nearest_name(parts, text, near):
    message = refused(role_of(*parts), text)
    assert message.startswith(f"'{text}' is no action here. Did you mean '{near}")
    assert "\n" not in message


@pytest.mark.parametrize("text", ["0", "20", "#0", "#20", "99999999999999999999999", "9" * 6000])
def test_numbers_that_no_action_has(text):
    message = refused(role_of(BID), text)
    assert message.startswith("there is no number ")
    assert message.endswith("type 1 to 19.")
    assert len(message) < 130


def test_a_number_that_may_be_two_things_is_asked_about():
    role = role_of(DAYS)
    assert refused(role, "1") == "1 may mean '#1' (days 0) or 'days 1': type one of them."
    assert typed(role, "#1") == "days 0"
    assert typed(role, "days 1") == "days 1"
    assert typed(role, "0") == "days 0"  # no action has the number 0
    assert typed(role, "3") == "days 2"  # no action has the value 3
    same = role_of(Part("days", (1, 2, 3), ""))
    assert typed(same, "2") == "days 2"


def test_numbers_have_as_few_digits_as_tell_them_apart():
    assert value_texts(Part("a", (0.1, 1 / 3), "")) == ("0.1", "0.333")
    assert value_texts(Part("a", (1.4731, 1.4732, 2.0), "")) == ("1.4731", "1.4732", "2")
    assert value_texts(Part("a", (1234.0, 99999.0), "")) == ("1234", "99999")
    assert value_texts(Part("a", (7, "none"), "")) == ("7", "none")


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0.1 + 0.2 - 0.3, "0"), (-1e-15, "0"), (0.55333, "0.5533"), (38500.4, "38,500"), (-2.0, "-2")],
)
def test_amounts(amount, text):
    assert amount_text(amount) == text


@pytest.mark.slow
@given(st.text(max_size=200))
def test_whatever_is_typed_is_an_action_or_one_line_of_advice(text):
    session = sit_down("counter", "supplier_0", 1)
    view = session.view
    try:
        found = choice_of(view.choices, session.seat.role, text).text
    except AnswerError as error:
        found = str(error)
    names = [choice.text for choice in view.choices]
    assert found in names or "Did you mean" in found or "type " in found
