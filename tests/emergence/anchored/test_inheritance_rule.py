"""The words for inherited rates at constructed positions: each is given, and each is not."""

from __future__ import annotations

import pytest

from tacit.emergence.anchored.rule import NEAR, WORDS, judge
from tacit.emergence.anchored.verdict import inheritance
from tacit.emergence.evidence import MIN_SEEDS, Evidence
from tacit.emergence.stats import Estimate
from tacit.envs import kpi as kpis
from tacit.envs.registry import make_market

LOW, HIGH = 0.05, 0.3  # prior below the equilibrium


def between(low, high):
    return Estimate((low + high) / 2, low, high, MIN_SEEDS)


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.04, 0.06, "inherited"),
        (0.031, 0.069, "inherited"),
        (0.06, 0.08, "undecided"),  # partly within .02 of the prior
        (0.0, 0.029, "undecided"),  # away from the equilibrium: no word
        (0.071, 0.279, "amplified"),
        (0.071, 0.29, "undecided"),
        (0.281, 0.319, "unlearned"),
        (0.30, 0.33, "undecided"),
        (0.321, 0.9, "overshoot"),
        (0.0, 1.0, "undecided"),
    ],
)
def test_words_with_a_prior_below_the_equilibrium(low, high, word):
    assert judge(between(low, high), LOW, HIGH).word == word


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.29, 0.31, "inherited"),
        (0.321, 0.9, "amplified"),
        (0.08, 0.27, "undecided"),  # on the way down: no word
        (0.04, 0.06, "unlearned"),
        (0.0, 0.029, "overshoot"),
        (0.02, 0.04, "undecided"),
    ],
)
def test_words_with_a_prior_above_the_equilibrium(low, high, word):
    assert judge(between(low, high), HIGH, LOW).word == word


@pytest.mark.parametrize("gap", [0.0, 0.02, 0.0599])
def test_a_prior_at_the_equilibrium_has_no_word(gap):
    found = judge(between(0.2, 0.2), 0.2, 0.2 + gap)
    assert found.word == "undecided"
    assert "too near" in found.reason
    assert judge(between(0.2, 0.2), 0.2, 0.2 + 3 * NEAR + 1e-9).word == "inherited"


@pytest.mark.parametrize(("prior", "equilibrium"), [(LOW, HIGH), (HIGH, LOW)])
def test_words_exclude_each_other(prior, equilibrium):
    """A point has at most one word, and a wider interval has its word or none."""
    for k in range(0, 1001, 5):
        point = judge(between(k / 1000, k / 1000), prior, equilibrium).word
        wide = judge(between(k / 1000 - 0.004, k / 1000 + 0.004), prior, equilibrium).word
        assert wide in (point, "undecided")
        assert point in WORDS


def evidence(n=MIN_SEEDS, **figures):
    market = make_market("procurement")
    own = {name.replace("__", "/"): [x] * n for name, x in figures.items()}
    return Evidence(market, kpis.resolve(market, None), own, n)


SUPPLIER = {
    "played__bluff_rate": 0.6, "prior__bluff_rate": 0.05, "equilibrium__bluff_rate": 0.294,
    "anchored__bluff_rate": 0.61,
}  # fmt: skip
BUYER = {
    "played__accept_rate": 0.95, "prior__accept_rate": 0.951, "equilibrium__accept_rate": 0.205,
}  # fmt: skip


def test_the_verdict_is_of_what_is_said_and_belief_stands_beside():
    found = inheritance(evidence(**SUPPLIER, **BUYER))
    assert (found.word, found.qualifiers) == ("overshoot", ("accept_rate: inherited",))
    assert any("computed for learners that are held so .610" in line for line in found.evidence)


def test_without_the_speaker_s_prior_it_is_of_belief():
    found = inheritance(evidence(**BUYER, prior__bluff_rate=float("nan")))
    assert (found.word, found.qualifiers) == ("inherited", ())


def test_no_prior_no_verdict():
    assert inheritance(evidence(played__bluff_rate=0.3)) is None


def test_few_seeds_have_no_word():
    found = inheritance(evidence(n=4, **SUPPLIER))
    assert found.word == "undecided at n = 4"
    assert "overshoot" in found.missing[0]
