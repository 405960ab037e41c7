"""Screens: formulas by hand, quotients by counting, the control, bidders; a competitive market
does not fire, a ring with cover bids does."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.emergence.screens import bid_screens as screens
from tacit.emergence.screens.competitive_control import deal_anew, is_on_one_scale, on_one_scale
from tacit.emergence.screens.cover_bids import LEAST_MEETINGS, bidder_pairs
from tacit.emergence.screens.survey import survey
from tacit.emergence.screens.tenders import BidsBySize, group_bids
from tacit.emergence.screens.win_shares import quotient, win_shares, wins
from tacit.emergence.screens.winner_rotation import winner_rotation, winners

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


def test_relative_bids_vary_as_much_within_a_tender_as_the_given_ones(luck):
    tenders = competitive(luck, 4000)
    scales = {n: luck.lognormal(0, 2, (len(b), 1)) for n, b in tenders.items()}
    sized = {n: b * scales[n] for n, b in tenders.items()}
    assert is_on_one_scale(tenders)
    assert not is_on_one_scale(sized)
    dealt = deal_anew(on_one_scale(sized), 0)
    for n in tenders:
        own, control = (np.median(screens.cv(s[n])) for s in (tenders, dealt))
        assert control == pytest.approx(own, rel=0.05)


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
