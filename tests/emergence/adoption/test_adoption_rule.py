"""The words for adoption at constructed positions: each is given, and each is not."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.emergence.adoption.rule import WORDS, judge, p_text
from tacit.emergence.adoption.verdict import adoption
from tacit.emergence.evidence import Adoption, Evidence
from tacit.emergence.stats import Estimate
from tacit.emergence.verdict import verdicts
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.registry import make_market

FULL = 0.3  # a rise counts from .03 on


def between(low, high):
    return Estimate((low + high) / 2, low, high, 48)


@pytest.mark.parametrize(
    ("low", "high", "p", "word"),
    [
        (0.031, 0.09, 0.05, "coordinated adoption"),
        (0.031, 0.09, 0.051, "undecided"),  # as many independent seats may differ so by luck
        (0.029, 0.09, 0.001, "undecided"),  # may be less than a rise
        (-0.02, 0.029, 0.051, "independent adoption"),
        (-0.2, 0.029, 0.9, "independent adoption"),  # a fall is not shown
        (-0.02, 0.029, 0.05, "undecided"),  # a small rise is shown
        (-0.02, 0.031, 0.5, "undecided"),  # a rise is not excluded
        (-0.2, -0.031, 1.0, "undecided"),  # a fall is shown
        (-0.2, -0.029, 1.0, "independent adoption"),
        (float("nan"), float("nan"), 0.5, "undecided"),
    ],
)
def test_words(low, high, p, word):
    assert judge(between(low, high), p, FULL).word == word


def test_without_benchmarks_there_is_no_word():
    assert judge(between(0.1, 0.2), 0.001, float("nan")).word == "undecided"


def test_a_word_is_kept_or_lost_as_an_interval_widens_and_never_another_one():
    for k in range(-100, 101):
        for p in (0.01, 0.5):
            point = judge(between(k / 500, k / 500), p, FULL).word
            wide = judge(between(k / 500 - 0.01, k / 500 + 0.01), p, FULL).word
            assert point in WORDS
            assert wide in (point, "undecided") or k < 0  # a fall that is no longer shown


def evidence(prices, alone, full=FULL, measure="price", n=48):
    market = make_market("cloud_bandwidth", {"providers": 3})
    series = Adoption("weights", measure, (1, 2, 3), tuple(prices), alone, full)
    return Evidence(market, kpis.resolve(market, None), {}, n, adoption=series)


def markets(rise=0.0, count=48, seed=1):
    luck = 1.5 + 0.06 * rng.draws(rng.seed_key(seed, rng.NATURE), count * 9).reshape(count, 9)
    each = [rise * n + luck[:, 2 * n : 3 * n].mean(axis=1) for n in (1, 2, 3)]
    return each, luck[:, :3]


def test_a_rise_and_none_have_their_words_and_figures():
    rising = adoption(evidence(*markets(0.1)))
    assert rising.word == "coordinated adoption"
    assert "an adopter, p .0001, n = 48" in rising.evidence[0]
    assert rising.evidence[1].startswith("weights: price of 1, 2, 3 adopters 1.6")
    assert rising.evidence[3] == "weights: from .030 on a slope counts as a rise"
    assert adoption(evidence(*markets(0.0))).word == "independent adoption"


def test_a_measure_that_falls_with_collusion_is_turned_over():
    each, alone = markets(0.1)
    turned = adoption(evidence([3 - x for x in each], 3 - alone, -FULL, "quantity"))
    assert turned.word == "coordinated adoption"
    assert adoption(evidence(each, alone, -FULL, "quantity")).word == "undecided"


def test_few_repetitions_have_no_word_and_say_what_it_would_be():
    found = adoption(evidence(*markets(0.1, count=20), n=20))
    assert found.word == "undecided at n = 20"
    assert "coordinated adoption" in found.missing[0]


def test_a_measure_that_is_not_defined_everywhere_gives_no_word():
    each, alone = markets()
    each[1] = np.append(each[1][:-1], np.nan)
    found = adoption(evidence(each, alone))
    assert (found.word, found.evidence) == ("undecided", ())
    assert "not defined in every repetition" in found.missing[0]


def test_the_rule_is_among_the_rules_and_silent_without_adopters():
    own = evidence(*markets(0.1))
    assert [v.word for v in verdicts(own) if v.behaviour == "adoption"] == ["coordinated adoption"]
    plain = Evidence(own.market, own.kpi, {}, 48)
    assert "adoption" not in {v.behaviour for v in verdicts(plain)}


@pytest.mark.parametrize(("p", "text"), [(0.0001, ".0001"), (0.35, ".35"), (1.0, "1")])
def test_p_as_text(p, text):
    assert p_text(p) == text
