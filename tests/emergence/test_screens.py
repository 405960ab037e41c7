"""Screens: formulas by hand, quotients by counting, the control, bidders; a competitive market
does not fire, a ring with cover bids does."""

from __future__ import annotations

import re
from math import comb

import numpy as np
import pytest

from tacit.emergence.screens import bid_screens as screens
from tacit.emergence.screens import cover_bids
from tacit.emergence.screens import survey as survey_module
from tacit.emergence.screens import winner_rotation as winner_rotation_module
from tacit.emergence.screens.competitive_control import deal_anew, is_on_one_scale
from tacit.emergence.screens.competitive_law import fit_law
from tacit.emergence.screens.cover_bids import LEAST_MEETINGS, bidder_pairs
from tacit.emergence.screens.survey import ScreenReading, survey
from tacit.emergence.screens.tenders import BidsBySize, group_bids
from tacit.emergence.screens.win_shares import quotient, win_shares, wins
from tacit.emergence.screens.winner_rotation import (
    successive_information,
    winner_rotation,
    winners,
)
from tacit.emergence.stats import Estimate
from tacit.envs.errors import ConfigError

TWO = np.array([[1.0, 1.1]])
FOUR = np.array([[1.0, 1.2, 1.3, 1.5]])


def test_formulas_by_hand():
    assert screens.cv(TWO) == pytest.approx([0.1 / np.sqrt(2) / 1.05])
    assert screens.gap(FOUR) == pytest.approx([0.2])
    losers = np.sqrt((0.13333**2 + 0.03333**2 + 0.16667**2) / 2)
    assert screens.relative_distance(FOUR) == pytest.approx([0.2 / losers], rel=1e-4)
    assert screens.spread(FOUR) == pytest.approx([0.5])
    # deviations from 1.25: -.25, -.05, .05, .25; symmetric, so no skew; inner bids at .4 and .6
    assert screens.skewness(FOUR) == pytest.approx([0.0], abs=1e-12)
    assert screens.uniformity(FOUR) == pytest.approx([0.4])
    low = np.array([[0.0, 1.0, 1.0]]) + 1.0
    assert screens.skewness(low) == pytest.approx([-np.sqrt(3)])


def test_scale_changes_nothing_and_equal_bids_have_no_shape():
    for screen in screens.SCREENS:
        assert screen.compute(FOUR * 7e6) == pytest.approx(screen.compute(FOUR))
    equal = np.full((1, 4), 0.1)
    assert screens.cv(equal) == [0.0]
    for screen in (screens.skewness, screens.relative_distance, screens.uniformity):
        assert np.isnan(screen(equal)).all()
    assert len(screens.per_tender({4: equal}, screens.SCREENS[3])) == 0


def test_wins_are_counted_as_one_would_by_hand(luck):
    bids = np.sort(luck.integers(90, 110, (300, 3)) / 100.0, axis=1)  # (with many ties)
    for rho in (-0.05, 0.0, 0.01):
        count = 0.0
        for row in bids:
            for i, bid in enumerate(row):
                best = min(row[:i].tolist() + row[i + 1 :].tolist())
                count += 1.0 if bid * (1 + rho) < best else 0.5 * (bid * (1 + rho) == best)
        assert wins(bids, rho).sum() == count


def test_the_hole_is_what_is_missing_near_zero_margin():
    beside = np.array([[1.0, 1.004]] * 10)
    near = np.array([[1.0, 1.001]] * 4)
    names, above, below = win_shares({2: np.concatenate([beside, near])}, [])
    assert names == ["hole"]
    assert quotient(above, below) == pytest.approx([8 / (20 / 2)])


def test_bids_find_their_tender(luck):
    tender = np.repeat(np.arange(6), [1, 2, 3, 2, 1, 3])
    bid = luck.random(12)
    shuffled = luck.permutation(12)
    found = group_bids(tender[shuffled], bid[shuffled])
    assert {n: rows.shape for n, rows in found.items()} == {2: (2, 2), 3: (2, 3)}
    np.testing.assert_array_equal(found[2], [np.sort(bid[tender == t]) for t in (1, 3)])


# --- the control ---------------------------------------------------------------------------------


def competitive(luck, count: int = 600, sd: float = 0.03) -> BidsBySize:
    return {n: np.sort(1.0 + sd * luck.standard_normal((count, n)), axis=1) for n in (2, 3, 4, 5)}


def test_a_deal_moves_bids_between_tenders_of_one_size_only(luck):
    tenders = competitive(luck, 40)
    first, again, other = (deal_anew(tenders, k) for k in (0, 0, 1))
    for n, bids in tenders.items():
        np.testing.assert_array_equal(np.sort(first[n].ravel()), np.sort(bids.ravel()))
        np.testing.assert_array_equal(first[n], again[n])
        assert (first[n] != other[n]).any()
        assert (np.diff(first[n], axis=1) >= 0).all()


def sized(luck, logs, sizes: float = 2.0) -> np.ndarray:
    """Tenders of very different size, from the logarithms of bids `[T, n]` in each."""
    return np.sort(np.exp(sizes * luck.standard_normal((len(logs), 1)) + logs), axis=1)


def test_shares_are_compared_between_tenders_and_sums_of_money_are_not(luck):
    tenders = competitive(luck, 50)
    assert is_on_one_scale(tenders)
    assert not is_on_one_scale({n: 1000.0 * b for n, b in tenders.items()})
    assert not is_on_one_scale({n: b * luck.lognormal(0, 2, (50, 1)) for n, b in tenders.items()})
    assert not is_on_one_scale({n: 0.05 * b for n, b in tenders.items()})


@pytest.mark.parametrize("law", ["normal", "skewed", "outliers"])
def test_the_law_is_that_of_independent_bids_whatever_the_sizes(luck, law):
    """Its cv, spread and skewness are those of the tenders; nothing needs to be normal."""
    shape = (150, 3)
    logs = {
        "normal": lambda: 0.05 * luck.standard_normal(shape),
        "skewed": lambda: -0.05 * luck.exponential(1.0, shape),
        "outliers": lambda: np.where(luck.random(shape) < 0.1, -2.0, luck.uniform(0, 0.1, shape)),
    }[law]()
    tenders = {3: sized(luck, logs)}
    law_of_bids = fit_law(tenders)
    drawn = np.concatenate([law_of_bids.draw(k)[3] for k in range(20)])
    assert (drawn > 0).all()
    assert (np.diff(drawn, axis=1) >= 0).all()
    for figure, near in ((screens.cv, 0.01), (screens.spread, 0.02), (screens.skewness, 0.35)):
        assert np.nanmedian(figure(drawn)) == pytest.approx(
            np.nanmedian(figure(tenders[3])), abs=near
        )


def test_the_law_sees_no_size_and_its_draws_are_numbered(luck):
    tenders = {n: b[:40] for n, b in competitive(luck, 40).items()}
    scaled = {n: b * 2.0 ** luck.integers(-9, 9, (len(b), 1)) for n, b in tenders.items()}
    first, again, other = (fit_law(tenders).draw(k) for k in (0, 0, 1))
    of_scaled = fit_law(scaled).draw(0)
    for n in tenders:
        np.testing.assert_array_equal(first[n], again[n])
        assert (first[n] != other[n]).any()
        np.testing.assert_allclose(first[n], of_scaled[n], rtol=1e-6)


def test_equal_bids_have_a_law_too(luck):
    """No dispersion at all, and many tenders, of which not all are looked at."""
    drawn = fit_law({2: np.full((5, 2), 7.0)}).draw(0)[2]
    assert np.isfinite(drawn).all()
    many = fit_law({2: competitive(luck, 2500)[2]}).draw(0)[2]
    assert many.shape == (834, 2)


@pytest.mark.parametrize("share", [0.05, 0.15, 0.25])
def test_low_bids_in_some_honest_tenders_are_no_reason_to_look(luck, share):
    """Three independent bids within ten per cent of the tender's size, one at times far below."""
    logs = np.log(luck.uniform(0.9, 1.1, (80, 3)))
    logs[luck.random(80) < share, 0] = np.log(0.15)
    sizes = np.log(10.0 ** luck.integers(2, 6, (80, 1)))
    found = survey({3: np.sort(np.exp(sizes + logs), axis=1)}, [-0.05, 0.01])
    assert not found.one_scale
    against = {r.name: r.against for r in found.readings if np.isfinite(r.value.mean)}
    assert set(against.values()) == {"like control"}


@pytest.mark.parametrize("size", [0.1, 0.3, 2.0])  # within a factor of 3 most of all
def test_tenders_that_only_differ_in_size_never_fire_cv_or_spread(luck, size):
    tenders = {n: 1000.0 * sized(luck, np.log(b), size) for n, b in competitive(luck, 60).items()}
    found = {r.name: r for r in survey(tenders, [0.01]).readings}
    for name in ("cv", "spread"):
        assert found[name].against == "like control"
        assert not found[name].fires
    assert [name for name, r in found.items() if r.fires] == []


def test_a_ring_fires_whatever_the_sizes(luck):
    """Covers of .3 to 1.3 per cent: no margin near zero, one bid alone at the bottom."""
    logs = np.concatenate(
        [np.zeros((300, 1)), np.log(1.003 + 0.01 * luck.random((300, 3)))], axis=1
    )
    found = {r.name: r for r in survey({4: sized(luck, logs)}, [0.01]).readings}
    assert found["hole"].fires
    assert not found["cv"].fires


def test_no_margin_near_zero_of_few_is_no_hole(luck):
    """Thirty tenders of two independent bids, of which one would lie near zero margin."""
    bids = 1.0 + 0.1 * luck.random((300, 2))
    bids.sort(axis=1)
    near = bids[:, 1] / bids[:, 0] < 1.0021
    bids = np.concatenate([bids[~near][:26], [[1.0, 1.004]] * 4])
    (hole,) = (r for r in survey({2: bids}, []).readings if r.name == "hole")
    assert hole.value.mean == 0.0
    beside = win_shares({2: bids}, [])[2].sum()
    assert beside >= 8 / 2
    assert hole.value.high == pytest.approx(2 * 3.688879 / beside)
    assert not hole.fires


def test_a_control_that_no_bids_can_have_stops_the_screens():
    fine = Estimate(0.2, 0.1, 0.3, 9)
    kinds = {"cv": (-0.1, 1.8), "skewness": (-1.8, 1.8), "spread": (-0.1,), "uniformity": (1.1,),
             "hole": (-0.1,), "D(0.01)": (-0.1, 1.1), "gap": (-2.0,)}  # fmt: skip
    for name, values in kinds.items():
        survey_module.check_control([ScreenReading(name, fine, fine, "low", "share")], 3)
        for value in values:
            reading = ScreenReading(name, fine, Estimate(value, 0.1, 0.2, 9), "low", "share")
            with pytest.raises(
                ConfigError, match=re.escape(f"control of {name}: {value:.4g} lies")
            ):
                survey_module.check_control([reading], 3)
    none = ScreenReading("cv", fine, Estimate(np.nan, np.nan, np.nan, 0), "low", "median")
    survey_module.check_control([none], 3)


def test_possible_ranges_are_reached_and_not_left(luck):
    for n in (2, 3, 4, 7):
        far = np.sort(np.exp(luck.uniform(-8, 8, (500, n))), axis=1)
        above, below = (np.full((1, n), 1.0) for _ in range(2))
        above[0, -1], below[0, 0] = 1e9, 1e-9
        for screen in screens.SCREENS:
            if n >= screen.needs:
                values = screen.compute(np.concatenate([far, above, below]))
                low, high = screen.possible(n)
                values = values[np.isfinite(values)]
                assert ((values >= low - 1e-9) & (values <= high + 1e-9)).all(), screen.name
        assert screens.cv(above)[0] == pytest.approx(np.sqrt(n))


def test_competitive_bids_are_like_their_control(luck):
    found = survey(competitive(luck), [-0.05, 0.01])
    assert [r.name for r in found.readings if r.fires] == []
    assert found.tenders == 2400
    names = [r.name for r in found.readings]
    assert names == ["D(-0.05)", "D(0.01)", "hole", *(s.name for s in screens.SCREENS)]
    for r in found.readings:
        assert r.value.low <= r.value.mean <= r.value.high
        assert r.control.low <= r.control.mean <= r.control.high


def test_common_costs_look_like_arranged_bids_to_some_screens_but_leave_no_hole(luck):
    """What screens cannot say: tenders that differ in cost fire cv and spread, honestly bid for."""
    tenders = {n: b * (1 + 0.1 * luck.random((len(b), 1))) for n, b in competitive(luck).items()}
    fires = {r.name for r in survey(tenders, [0.01]).readings if r.fires}
    assert {"cv", "spread"} <= fires
    assert "hole" not in fires


@pytest.mark.slow
def test_competitive_bids_hardly_ever_fire(luck):
    """Thirty files of three shapes, eleven figures each."""
    draws = (lambda n: 1 + 0.03 * luck.standard_normal((60, n)),
             lambda n: luck.uniform(0.8, 1.0, (60, n)),
             lambda n: luck.lognormal(0.0, 0.1, (60, n)))  # fmt: skip
    fired = []
    for k in range(30):
        tenders = {n: np.sort(draws[k % 3](n), axis=1) for n in (2, 3, 4, 5, 7)}
        fired += [r.name for r in survey(tenders, [-0.05, 0.01]).readings if r.fires]
    assert len(fired) <= 1


def test_a_ring_with_cover_bids_fires(luck):
    """The designated winner bids as it would; the others cover it by .3 to 1.3 per cent."""
    ring = {}
    for n in (3, 4, 5):
        low = 1.0 + 0.03 * luck.standard_normal((600, 1))
        cover = low * (1.003 + 0.01 * luck.random((600, n - 1)))
        ring[n] = np.sort(np.concatenate([low, cover], axis=1), axis=1)
    fires = {r.name for r in survey(ring, [0.005]).readings if r.fires}
    assert {"hole", "cv", "relative_distance", "skewness", "spread"} <= fires


def test_one_tender_is_too_little():
    with pytest.raises(ValueError, match="two tenders"):
        survey({2: TWO}, [0.01])


# --- who wins after whom -------------------------------------------------------------------------


def test_winners_in_order_without_ties():
    tender = np.array([0, 0, 1, 1, 2, 2, 3])
    bid = np.array([0.9, 1.0, 1.0, 1.0, 1.2, 1.1, 1.0])
    bidder = np.array([0, 1, 0, 1, 0, 1, 0])
    assert winners(tender, bid, bidder).tolist() == [0, 1]


def test_rotation_is_distinguished_from_chance(luck):
    turns = np.arange(300) % 3
    found = winner_rotation(turns)
    assert found.information.value == pytest.approx(np.log(3), abs=0.01)
    assert found.information.value > found.information.high
    assert found.repeats.value == 0.0 < found.repeats.low
    chance = winner_rotation(luck.integers(0, 3, 300))
    information = chance.information
    assert information.low * 0.5 < information.value < information.high * 2
    assert winner_rotation(turns[:5]) is None


def test_a_cover_bidder_is_found(luck):
    tenders = 60
    low = 1.0 + 0.05 * luck.standard_normal(tenders)
    third = 1.0 + 0.05 * luck.standard_normal(tenders)
    bid = np.concatenate([low, low * 1.02, third])
    tender, bidder = np.tile(np.arange(tenders), 3), np.repeat([7, 3, 5], tenders)
    first, *others = bidder_pairs(tender, bid, bidder)
    assert (first.below, first.above, first.met, first.wins) == (7, 3, 60, 60)
    assert first.margin == pytest.approx(0.02)
    assert first.p == pytest.approx(3 * 2 * 0.5**60)
    assert all(pair.p > 0.05 for pair in others)


@pytest.mark.parametrize(
    ("value", "control", "against"),
    [
        ((0.1, 0.3), (0.3, 0.5), "like control"),  # they touch
        ((0.1, 0.29), (0.3, 0.5), "below"),
        ((0.5, 0.7), (0.3, 0.5), "like control"),
        ((0.51, 0.7), (0.3, 0.5), "above"),
        ((0.1, 0.9), (0.3, 0.5), "like control"),
        ((0.1, np.inf), (0.3, 0.5), "undecided"),
        ((np.nan, 0.2), (0.3, 0.5), "undecided"),
        ((0.1, 0.2), (0.3, np.nan), "undecided"),
    ],
)
def test_a_screen_fires_on_its_own_side_of_the_control_only(value, control, against):
    fired = {}
    for side in ("low", "high", ""):
        reading = ScreenReading(
            "s", Estimate(0.2, *value, 9), Estimate(0.4, *control, 9), side, "share"
        )
        assert reading.against == against
        fired[side] = reading.fires
    assert fired == {"low": against == "below", "high": against == "above", "": False}


def test_work_is_bounded_by_the_number_of_tenders_and_bids(monkeypatch):
    """20 tenders of two bids: 40 bids."""
    tenders = {2: np.sort(1.0 + 0.01 * np.arange(40).reshape(20, 2), axis=1)}
    for name, value in {"RESAMPLES": 70, "DEALS": 15, "WORK_RESAMPLES": 1200, "WORK_DEALS": 480,
                        "KEPT_MARGINS": 100}.items():  # fmt: skip
        monkeypatch.setattr(survey_module, name, value)
    found = survey(tenders, [])
    assert (found.tenders, found.bids, found.alone) == (20, 40, 0)
    assert (found.resamples, found.deals) == (60, 12)
    assert (len(found.margins), len(found.control_margins)) == (40, 2 * 40)
    monkeypatch.setattr(survey_module, "WORK_RESAMPLES", 10)
    monkeypatch.setattr(survey_module, "WORK_DEALS", 10)
    fewest = survey(tenders, [])
    assert (fewest.resamples, fewest.deals) == (50, 10)


def test_shuffles_leave_a_fortieth_on_either_side(monkeypatch):
    values = []
    plain = winner_rotation_module.successive_information

    def noted(sequence):
        values.append(plain(sequence))
        return values[-1]

    monkeypatch.setattr(winner_rotation_module, "successive_information", noted)
    found = winner_rotation(np.arange(60) * 7 % 5 % 3)
    *shuffled, own = values
    assert len(shuffled) == 200
    information = found.information
    assert (information.value, information.mean) == (own, pytest.approx(np.mean(shuffled)))
    assert np.mean(np.array(shuffled) < information.low) == pytest.approx(0.025, abs=0.006)
    assert np.mean(np.array(shuffled) > information.high) == pytest.approx(0.025, abs=0.006)


def test_information_by_hand_and_the_least_number_of_steps():
    turns = np.array([0, 1] * 5 + [0])  # ten steps: 0 -> 1 and 1 -> 0 five times each
    assert successive_information(turns) == pytest.approx(np.log(2))
    assert successive_information(np.zeros(5, np.int64)) == 0.0
    # 0 0 1 0: steps 00, 01, 10; from 0 twice, to 0 twice
    third, two = np.log(1 / 3), 2 / 3 * np.log(2 / 3) + 1 / 3 * np.log(1 / 3)
    assert successive_information(np.array([0, 0, 1, 0])) == pytest.approx(third - 2 * two)
    found = winner_rotation(turns)
    assert (found.steps, found.repeats.value) == (10, 0.0)
    assert winner_rotation(turns[:-1]) is None


def test_the_cheaper_of_two_is_named_first_whoever_bid_first():
    """Bidder 4 is below bidder 2 in nine of twelve; the median of those nine margins."""
    count = 12
    dearer = 1.0 + 0.01 * np.arange(1, count + 1)
    first = np.where(np.arange(count) < 3, 1.0, dearer)  # bids of 2; it is below at first
    second = np.where(np.arange(count) < 3, 1.5, 1.0)  # bids of 4
    tender = np.repeat(np.arange(count), 2)
    bid = np.stack([first, second], axis=1).ravel()
    (pair,) = bidder_pairs(tender, bid, np.tile([2, 4], count))
    assert (pair.below, pair.above, pair.met, pair.wins) == (4, 2, 12, 9)
    assert pair.margin == pytest.approx(0.08)  # of .04 to .12
    assert pair.p == pytest.approx(2 * sum(comb(12, k) for k in range(9, 13)) / 2**12)


def test_an_even_pair_keeps_its_order_and_chance_is_certain():
    tender = np.repeat(np.arange(10), 2)
    bid = np.where(np.arange(10)[:, None] % 2, [1.1, 1.0], [1.0, 1.1]).ravel()
    (pair,) = bidder_pairs(tender, bid, np.tile([3, 1], 10))
    assert (pair.below, pair.above, pair.met, pair.wins) == (3, 1, 10, 5)
    assert pair.p == 1.0


def test_very_large_tenders_are_not_looked_at_for_pairs(monkeypatch):
    monkeypatch.setattr(cover_bids, "MOST_BIDS", 3)
    for size, pairs in ((3, 3), (4, 0)):
        tender = np.repeat(np.arange(10), size)
        bid = np.tile(1.0 + 0.1 * np.arange(size), 10)
        assert len(bidder_pairs(tender, bid, np.tile(np.arange(size), 10))) == pairs


def test_pairs_that_met_seldom_tie_or_are_one_are_left_out():
    tender = np.repeat(np.arange(LEAST_MEETINGS), 2)
    bid = np.tile([1.0, 1.1], LEAST_MEETINGS)
    pair = np.tile([0, 1], LEAST_MEETINGS)
    assert len(bidder_pairs(tender, bid, pair)) == 1
    assert bidder_pairs(tender[2:], bid[2:], pair[2:]) == []
    assert bidder_pairs(tender, np.ones_like(bid), pair) == []
    assert bidder_pairs(tender, bid, np.zeros_like(pair)) == []


def test_rolling_follows_time():
    cv = 0.01 * np.arange(1, 7)
    bid = np.stack([1.0 - cv / np.sqrt(2), 1.0 + cv / np.sqrt(2)], axis=1).ravel()
    last, values = screens.rolling_cv(np.repeat(np.arange(6), 2), bid, 3)
    assert last.tolist() == [2, 3, 4, 5]
    assert values == pytest.approx(cv[1:5])
    assert len(screens.rolling_cv(np.repeat(np.arange(6), 2), bid, 7)[0]) == 0
