"""Every condition of the rule for coalitions: threshold, bound, absence."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from support.populations import default_kpi

from tacit.emergence.coalition.verdict import (
    ALLIANCE,
    BETRAYAL,
    NO_ALLIANCE,
    betrayed,
    coalition,
)
from tacit.emergence.evidence import MIN_SEEDS, UNDECIDED, Evidence, TrainingCurve
from tacit.emergence.stats import Estimate, student
from tacit.envs.registry import make_market

NAMES = ("bidder_0", "bidder_1", "bidder_2")


def around(mean, spread, n=MIN_SEEDS):
    """Values whose mean is `mean` and whose 95 % interval is `mean` +- `spread`."""
    offsets = [2 * k / max(n - 1, 1) - 1 for k in range(n)]
    half = student(offsets).high
    return [mean + spread * x / half for x in offsets]


def evidence(n=MIN_SEEDS, curves=None, **weights):
    """Three bidders; `w01=(mean, half width)` is the weight of bidder_0 on bidder_1; else 0."""
    market = make_market("ad_auction", {"bidders": 3})
    figures = {}
    for i, j in permutations(range(3), 2):
        mean, spread = weights.get(f"w{i}{j}", (0.0, 0.0))
        figures[f"weight/{NAMES[i]}/{NAMES[j]}"] = around(mean, spread, n)
    return Evidence(market, default_kpi(market), figures, n, training_curves=curves or {})


def word(**keys):
    return coalition(evidence(**keys)).word


@pytest.mark.parametrize(
    ("there", "back", "expected"),
    [
        ((0.3, 0.05), (0.3, 0.05), ALLIANCE),
        ((0.3, 0.05), (0.0, 0.05), NO_ALLIANCE),  # both must care
        ((0.0, 0.05), (0.3, 0.05), NO_ALLIANCE),
        ((0.11, 0.005), (0.3, 0.0), ALLIANCE),
        ((0.11, 0.02), (0.3, 0.0), NO_ALLIANCE),  # the lower end, not the mean
        ((0.09, 0.005), (0.3, 0.0), NO_ALLIANCE),
    ],
)
def test_both_must_care(there, back, expected):
    assert word(w01=there, w10=back) == expected


@pytest.mark.parametrize(
    ("third", "expected"),
    [
        ((0.2, 0.0), ALLIANCE),
        ((0.45, 0.0), NO_ALLIANCE),  # they care for the third as much
        ((0.28, 0.0), ALLIANCE),
    ],
)
def test_more_than_for_third_parties(third, expected):
    assert word(w01=(0.3, 0.01), w10=(0.3, 0.01), w02=third, w12=third) == expected


def test_more_than_for_third_parties_is_a_whole_interval():
    arm = evidence(w01=(0.3, 0.01), w10=(0.3, 0.01))
    wide = {f"weight/{i}/bidder_2": around(0.27, 0.1) for i in NAMES[:2]}
    narrow = {f"weight/{i}/bidder_2": around(0.27, 0.001) for i in NAMES[:2]}
    assert coalition(replace(arm, figures={**arm.figures, **narrow})).word == ALLIANCE
    assert coalition(replace(arm, figures={**arm.figures, **wide})).word == NO_ALLIANCE


def test_ends_at_a_bound_are_neither_care_nor_its_lack():
    """Care lies wholly above .1; who left lies wholly below it."""

    def weights(*ends):
        means = tuple(Estimate((low + high) / 2, low, high, MIN_SEEDS) for low, high in ends)
        return TrainingCurve(tuple(1000 * (k + 1) for k in range(len(ends))), means)

    loyal = weights((0.2, 0.4), (0.2, 0.4), (0.2, 0.4))
    for own, rounds in (
        (weights((0.2, 0.4), (0.0, 0.09), (0.0, 0.09)), 2000),
        (weights((0.2, 0.4), (0.0, 0.1), (0.0, 0.09)), 3000),  # at first only perhaps
        (weights((0.2, 0.4), (0.0, 0.09), (0.0, 0.1)), None),
        (weights((0.1, 0.4), (0.0, 0.09), (0.0, 0.09)), None),  # it never was shown to care
    ):
        curves = {"weight/bidder_0/bidder_1": own, "weight/bidder_1/bidder_0": loyal}
        found = betrayed(evidence(curves=curves), "bidder_0", "bidder_1")
        assert (found and found.rounds) == rounds
    left = weights((0.2, 0.4), (0.0, 0.09), (0.0, 0.09))
    for other in ((0.1, 0.4), (0.0, 0.09)):  # the partner must be shown to stay
        curves = {
            "weight/bidder_0/bidder_1": left,
            "weight/bidder_1/bidder_0": weights((0.2, 0.4), (0.2, 0.4), other),
        }
        assert betrayed(evidence(curves=curves), "bidder_0", "bidder_1") is None
    for first in ((0.1, 0.4), (0.0, 0.4)):  # nor were they ever shown to be allies
        curves = {
            "weight/bidder_0/bidder_1": left,
            "weight/bidder_1/bidder_0": weights(first, (0.2, 0.4), (0.2, 0.4)),
        }
        assert betrayed(evidence(curves=curves), "bidder_0", "bidder_1") is None


# --- betrayal -------------------------------------------------------------------------------------


def curve(*points):
    """A weight along training: (mean, half width) at 1, 2, ... thousand rounds."""
    means = tuple(Estimate(m, m - half, m + half, MIN_SEEDS) for m, half in points)
    return TrainingCurve(tuple(1000 * (k + 1) for k in range(len(points))), means)


LOYAL = curve((0.3, 0.05), (0.3, 0.05), (0.3, 0.05), (0.3, 0.05))


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        (curve((0.3, 0.05), (0.3, 0.05), (0.0, 0.05), (0.0, 0.05)), LOYAL, 3000),
        (curve((0.3, 0.05), (0.15, 0.07), (0.05, 0.07), (0.0, 0.05)), LOYAL, 4000),
        (curve((0.3, 0.05), (0.3, 0.05), (0.0, 0.05), (0.05, 0.07)), LOYAL, None),  # upper end
        (curve((0.15, 0.07), (0.15, 0.07), (0.0, 0.05), (0.0, 0.05)), LOYAL, None),  # never cared
        (curve((0.3, 0.05), (0.3, 0.05), (0.3, 0.05), (0.3, 0.05)), LOYAL, None),
        (  # the other left as well
            curve((0.3, 0.05), (0.3, 0.05), (0.0, 0.05), (0.0, 0.05)),
            curve((0.3, 0.05), (0.3, 0.05), (0.15, 0.07), (0.3, 0.05)),
            None,
        ),
        (  # they were never together
            curve((0.3, 0.05), (0.0, 0.05), (0.0, 0.05), (0.0, 0.05)),
            curve((0.0, 0.05), (0.3, 0.05), (0.3, 0.05), (0.3, 0.05)),
            None,
        ),
        (  # it came back for a while, when the other was gone
            curve((0.3, 0.05), (0.0, 0.05), (0.3, 0.05), (0.0, 0.05)),
            curve((0.3, 0.05), (0.3, 0.05), (0.15, 0.07), (0.3, 0.05)),
            None,
        ),
    ],
)
def test_a_betrayal_and_its_date(own, other, expected):
    curves = {"weight/bidder_0/bidder_1": own, "weight/bidder_1/bidder_0": other}
    verdict = coalition(evidence(curves=curves))
    if expected is None:
        assert verdict.word != BETRAYAL
    else:
        assert verdict.word == BETRAYAL
        assert verdict.evidence[0].startswith(
            f"bidder_0 left bidder_1: seen after {expected:,} rounds"
        )


def test_a_seed_without_a_weight_withholds_the_word():
    arm = evidence(w01=(0.3, 0.01), w10=(0.3, 0.01))
    values = [float("nan"), *arm.figures["weight/bidder_0/bidder_2"][1:]]
    arm = replace(arm, figures={**arm.figures, "weight/bidder_0/bidder_2": values})
    verdict = coalition(arm)
    assert verdict.word == UNDECIDED
    assert verdict.missing == ("1 of 48 seeds have no weight of some pair",)


@pytest.mark.parametrize("n", [2, MIN_SEEDS - 1])
def test_below_the_least_n_there_is_no_word(n):
    verdict = coalition(evidence(n=n, w01=(0.3, 0.01), w10=(0.3, 0.01)))
    assert verdict.word == f"undecided at n = {n}"
    assert f"n = {n} of the {MIN_SEEDS} seeds" in verdict.missing[0]
