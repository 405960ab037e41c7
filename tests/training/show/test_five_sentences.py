"""Five sentences for somebody who has no time: made of numbers, and saying what is undecided."""

from __future__ import annotations

import re

import pytest

from tacit.emergence.objective.own_firm_loss import LOSS, SHARE
from tacit.training.config.load import load
from tacit.training.show.findings.five_sentences import five_sentences
from tacit.training.studies.compare import HARM, ArmRow

ARM = next(iter(load("ad_auction", []).arms.values()))
NAN = float("nan")


def row(name, mean=0.5, difference=None, loss=None, harm=None, n=48, words=("competitive",)):
    """A row of a comparison; triples are a mean and its interval."""
    numbers = {"arm": name, "mean": mean, "low": mean - 0.1, "high": mean + 0.1, "n": n}
    cells = {"arm": name}
    if difference:
        ends = ("difference", "difference_low", "difference_high")
        numbers |= dict(zip(ends, difference, strict=True))
    if loss:
        numbers |= dict(zip((LOSS, f"{LOSS}_low", f"{LOSS}_high"), loss, strict=True))
        numbers[SHARE] = 0.25
    if harm is not None:
        cells[HARM] = "shown" if harm else "-"
        numbers |= {"harm_in": "revenue", "harm": harm, "harm_by_kpi": harm / 4,
                    "harm_by_learning": 3 * harm / 4}  # fmt: skip
    return ArmRow(cells, numbers, {}, list(words))


def sentences(*rows):
    """The five, unwrapped and without their numbers."""
    found = five_sentences({r.numbers["arm"]: ARM for r in rows}, rows, "clearing_price")
    assert [text[:3] for text in found] == ["1. ", "2. ", "3. ", "4. ", "5. "]
    assert all(len(line) <= 100 for text in found for line in text.splitlines())
    return [" ".join(text.split())[3:] for text in found]


FIRST = row("first", 0.9, loss=(0, 0, 0), harm=0.0)


def test_who_learned_how_long_and_how_often():
    assert sentences(FIRST)[0] == (
        "2 bidders learned in ad_auction for 600,000 rounds, 48 times over, under one arm."
    )
    assert "48 to 60 times over, under each of 2 arms" in sentences(FIRST, row("b", n=60))[0]


def test_only_a_difference_whose_interval_excludes_0_is_told_as_one():
    low, high = row("low", 0.5, (-0.4, -0.5, -0.3)), row("high", 0.95, (0.05, 0.01, 0.09))
    lower, same = row("lower", 0.2, (-0.7, -0.8, -0.6)), row("same", 0.9, (0.0, -0.1, 0.1))
    told = sentences(FIRST, low, lower, high, same)[1]
    assert told == (
        "The clearing price (money) is .900 [.800, 1.000] under first; against that it is lower "
        "under low and lower (most under lower: -.700 [-.800, -.600]); higher under high (+.050 "
        "[.010, .090]); not shown to differ under same."
    )


def test_one_repetition_shows_no_difference_and_no_loss():
    lone = row("lone", 0.2, (-0.7, NAN, NAN), loss=(0.3, NAN, NAN), n=1)
    told = sentences(row("first", n=1, loss=(0, NAN, NAN)), lone)
    assert "not shown to differ under lone" in told[1]
    assert told[2] == (
        "What following its KPI costs a firm itself: nothing under first; undecided under lone."
    )


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        ((0.3, 0.2, 0.4), ".300 [.200, .400] a round (25% of what it would earn) under other"),
        ((0.0, 0.0, 0.0), "nothing under first and other"),
        ((0.01, -0.01, 0.03), "undecided under other"),
        (None, "not measured under other"),
    ],
)
def test_what_a_kpi_costs_its_own_firm(loss, text):
    assert text in sentences(FIRST, row("other", loss=loss))[2]


def test_the_largest_loss_beside_profit_is_split():
    told = sentences(FIRST, row("a", harm=0.4), row("b", harm=0.2), row("c"))[3]
    assert (
        "most is lost under a, where revenue is .400 a round lower, .100 of it by the KPI" in told
    )
    assert told.endswith("; less under b; no loss is shown under first; not measured under c.")
    assert "not measured here" in sentences(row("a"))[3]


def test_words_and_what_is_undecided():
    unpunished = row("b", words=("below competition, unpunished", "one-sided"))
    told = sentences(FIRST, unpunished, row("c", words=("undecided",)))[4]
    assert told == (
        'The written rules say "competitive" of first; "below competition, unpunished" of b; '
        '"one-sided" of b; undecided: c; no word is a legal finding.'
    )
    few = sentences(row("a", words=("undecided",), n=3))[4]
    assert "say no word of a (most words need 48 repetitions, here are 3)" in few
    assert sentences(row("a", words=()))[4] == "No rule for a word applies here."


def test_of_many_arms_a_few_are_named():
    rows = [row(f"arm_{k}", loss=(0.1 * k, 0.1 * k - 0.05, 1.0), harm=0.1 * k) for k in range(1, 9)]
    told = sentences(FIRST, *rows)
    assert max(map(len, told)) < 400
    assert "arm_7, arm_6" not in told[4]
    assert re.search(r"and \d more", told[4])


def test_nothing_is_said_of_a_measure_that_is_not_defined():
    unknown = ArmRow({"arm": "a"}, {"arm": "a"}, {}, [])
    told = five_sentences({"a": ARM}, [unknown, row("b")], "clearing_price")
    assert "not defined in every repetition" in " ".join(told[1].split())
