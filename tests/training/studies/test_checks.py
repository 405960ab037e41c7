"""A reference beside what was measured, where the two lie exactly as far apart as they may."""

from __future__ import annotations

import pytest

from tacit.training.config.references import Reference
from tacit.training.studies.checks import _check


def arm(mean=0.5, low=0.25, high=0.75, per_seed=(0.25, 0.5, 1.0), **more):
    measured = {"mean": mean, "ci95": [low, high], "n": len(per_seed), "per_seed": list(per_seed)}
    return {"seeds": 48, "measures": {"x": measured} | more, "verdicts": []}


def check(one, two=None, **keys):
    plain = {"kind": "prediction", "arm": "a", "quantity": "q", "measure": "x"}
    return _check(Reference(**(plain | keys)), {"a": one, "b": two})


@pytest.mark.parametrize(
    ("value", "tolerance", "within"),
    [(0.75, 0.25, True), (0.25, 0.25, True), (0.7501, 0.25, False), (0.2499, 0.25, False),
     (0.5, 0.0, True), (0.5001, 0.0, False)],
)  # fmt: skip
def test_a_value_may_lie_at_its_tolerance(value, tolerance, within):
    found = check(arm(), value=value, tolerance=tolerance)
    assert found.within == within
    assert (found.measured, found.n, found.interval) == ("0.5000", 3, "[.250, .750]")


def test_a_median_is_over_seeds_and_a_value_may_be_another_measure():
    seeds = (0.0, 0.25, 9.0)
    assert check(arm(per_seed=seeds), value=0.25, tolerance=0, statistic="median").within
    assert not check(arm(per_seed=seeds), value=0.5, tolerance=0, statistic="median").within
    theory = {"mean": 0.75, "ci95": [None, None], "n": 3}
    assert check(arm(y=theory), value="y", tolerance=0.25).within
    assert not check(arm(y=theory), value="y", tolerance=0.24).within
    missing = check(arm(), value="y", tolerance=1)
    assert (missing.within, missing.reference, missing.measured) == (False, "y", "not defined")


@pytest.mark.parametrize(
    ("bound", "above", "below"),
    [(0.25, False, False), (0.2499, True, False), (0.75, False, False), (0.7501, False, True),
     (0.5, False, False)],
)  # fmt: skip
def test_a_whole_interval_lies_beyond_a_number(bound, above, below):
    assert check(arm(), versus=bound, expected="above").within == above
    assert check(arm(), versus=bound, expected="below").within == below


@pytest.mark.parametrize(
    ("low", "high", "above", "below"),
    [(0.1, 0.25, False, False), (0.1, 0.2499, True, False), (0.75, 0.9, False, False),
     (0.7501, 0.9, False, True)],
)  # fmt: skip
def test_two_intervals_are_apart_or_touch(low, high, above, below):
    other = arm(mean=(low + high) / 2, low=low, high=high)
    assert check(arm(), other, versus="b", expected="above").within == above
    assert check(arm(), other, versus="b", expected="below").within == below


@pytest.mark.parametrize(("tolerance", "within"), [(0.5, True), (0.4999, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_same_is_a_mean_difference_within_its_tolerance(tolerance, within, sign):
    """Seed by seed .25, .5 and .75."""
    one, two = (0.25, 0.5, 1.0), (0.0, 0.0, 0.25)
    pair = [arm(per_seed=one), arm(per_seed=two)][::sign]
    found = check(*pair, versus="b", expected="same", tolerance=tolerance)
    assert found.within == within


@pytest.mark.parametrize(
    ("given", "word", "within", "lacks"),
    [
        ("tacit collusion", "tacit collusion", True, ""),
        ("competitive", "tacit collusion", False, ""),
        ("competitive", "not tacit collusion", True, ""),
        ("tacit collusion", "not tacit collusion", False, ""),
        ("undecided", "tacit collusion", False, ""),
        ("undecided", "not tacit collusion", False, ""),  # it was not judged
        (None, "not tacit collusion", False, ""),
        ("undecided", "undecided about collusion", True, ""),
        ("competitive", "undecided about collusion", False, ""),
        (None, "undecided about collusion", False, ""),
        ("competitive", "not undecided about collusion", True, ""),
        ("undecided", "not undecided about collusion", False, ""),
        ("undecided at n = 3", "tacit collusion", None, "more seeds"),
        ("undecided at n = 3", "undecided about collusion", None, "more seeds"),
    ],
)
def test_a_word_is_given_or_must_not_be(given, word, within, lacks):
    one = arm()
    if given is not None:
        one["verdicts"] = [{"behaviour": "collusion", "word": given},
                           {"behaviour": "KPI", "word": "learned"}]  # fmt: skip
    found = check(one, kind="word", word=word, written="2026-01-01", quantity="", measure="")
    assert (found.within, found.lacks) == (within, lacks)


def test_a_word_about_seeds_that_were_cut_off_waits_for_rounds():
    one = arm(converged={"per_seed": [0.0] * 3 + [1.0] * 45})
    one["verdicts"] = [{"behaviour": "collusion", "word": "undecided"}]
    keys = {"kind": "word", "written": "2026-01-01", "quantity": "", "measure": ""}
    found = check(one, word="tacit collusion", **keys)
    assert (found.within, found.lacks) == (None, "more rounds")
    one["measures"]["converged"]["per_seed"][0] = 1.0  # 2 of 48 may be
    assert check(one, word="tacit collusion", **keys).within is False
