"""The rule of breakers: bands, streaks, and what may be watched. No file, no training."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.training_fixtures import arm

from tacit.oversight.breakers import (
    CLEAN,
    Band,
    Streak,
    names_of_readings,
    plain_name,
    readings,
    watched,
)
from tacit.training.config.load import load

NAN = float("nan")
CALM = Band(low=0.5, high=0.9)


def first_trip(values, points):
    """Rounds, reading and beginning of the first streak of so many points; rounds 100, 200, ..."""
    streak = CLEAN
    for k, value in enumerate(values, 1):
        streak = watched(streak, 100 * k, value, CALM)
        if streak.points >= points:
            return 100 * k, value, streak.since
    return None


@pytest.mark.parametrize(
    ("band", "value", "distance"),
    [
        (CALM, 0.6, 0.1),
        (CALM, 0.85, 0.05),
        (CALM, 0.5, 0.0),
        (CALM, 0.9, 0.0),
        (CALM, 0.4, -0.1),
        (CALM, 1.0, -0.1),
        (Band(low=0.5), 7.0, 6.5),
        (Band(low=0.5), 0.25, -0.25),
        (Band(high=2.0), -5.0, 7.0),
        (Band(high=2.0), 2.5, -0.5),
        (Band(low=0.5, high=0.5), 0.5, 0.0),
    ],
)
def test_the_distance_to_the_band_s_end(band, value, distance):
    assert band.distance(value) == pytest.approx(distance, abs=1e-12)
    assert band.is_outside(value) == (distance < 0)


def test_both_ends_are_inside_and_the_next_number_is_not():
    assert not CALM.is_outside(0.5)
    assert CALM.is_outside(math.nextafter(0.5, 0))
    assert not CALM.is_outside(0.9)
    assert CALM.is_outside(math.nextafter(0.9, 1))


def test_a_reading_that_is_withheld_is_not_outside():
    assert math.isnan(CALM.distance(NAN))
    assert not CALM.is_outside(NAN)
    assert first_trip((NAN, NAN, NAN), 1) is None


def test_infinite_readings_are_outside_of_a_bounded_band():
    assert CALM.is_outside(math.inf)
    assert CALM.is_outside(-math.inf)
    assert not Band(low=0).is_outside(math.inf)


def test_a_streak_remembers_where_it_began_and_ends_inside():
    streak = watched(CLEAN, 100, 0.4, CALM)
    assert streak == Streak(1, 100)
    assert watched(streak, 200, 0.95, CALM) == Streak(2, 100)  # the other side is outside as well
    assert watched(streak, 200, 0.5, CALM) == CLEAN
    assert watched(streak, 200, NAN, CALM) == CLEAN


@pytest.mark.parametrize(
    ("values", "points", "trip"),
    [
        ((0.6, 0.4), 1, (200, 0.4, 200)),
        ((0.4,), 1, (100, 0.4, 100)),
        ((0.6, 0.4, 0.3), 2, (300, 0.3, 200)),
        ((0.4, 0.6, 0.4, 0.6), 2, None),
        ((0.4, NAN, 0.4), 2, None),
        ((0.4, 0.95, 0.4), 3, (300, 0.4, 100)),
        ((0.5, 0.9, 0.5), 1, None),
        ((), 1, None),
    ],
)
def test_when_a_breaker_trips_for_the_first_time(values, points, trip):
    assert first_trip(values, points) == trip


# --- what may be watched -------------------------------------------------------------------------


def test_readings_are_the_market_s_the_seats_and_the_roles():
    market = arm().market
    measures = np.arange(3 * len(market.measures), dtype=float).reshape(3, -1)
    found = readings(market, measures, {"weight/bidder_0/bidder_1": 0.25})
    column = market.columns["profit"]
    own = [measures[0, column], measures[1, column]]
    assert [found["profit/bidder_0"], found["profit/bidder_1"]] == own
    assert found["profit/bidder"] == sum(own) / 2
    assert found["clearing_price"] == measures[2, market.columns["clearing_price"]]
    assert found["weight/bidder_0/bidder_1"] == 0.25
    assert {"profit/best", "winner_share", "collusion_index"} <= found.keys()


@pytest.mark.parametrize(
    "market",
    [
        "ad_auction",
        "procurement",
        "cloud_bandwidth",
        "quantity_competition",
        "cheap_talk",
        "hiring",
        "delivery_slots",
    ],
)
def test_every_reading_of_a_market_has_a_known_name(market):
    own = arm(config=market)
    known = names_of_readings(own.market, own.kpi)
    shape = (len(own.market.seats) + 1, len(own.market.measures))
    assert set(readings(own.market, np.ones(shape), {})) <= set(known)
    assert own.market.headline in known
    assert len(known) == len(set(known))


def test_figures_of_quick_probes_have_names_by_pair():
    own = next(iter(load("betrayal").arms.values()))
    known = names_of_readings(own.market, own.kpi)
    assert "weight/bidder_0/bidder_1" in known
    assert "weight/bidder_0/bidder_0" not in known


@pytest.mark.parametrize(
    ("watch", "name"),
    [
        ("clearing_price", "clearing_price"),
        ("profit/bidder_0", "profit/bidder_0"),
        ("measure/market/clearing_price", "clearing_price"),
        ("measure/bidder_0/profit", "profit/bidder_0"),
        ("probe/weight/bidder_0/bidder_1", "weight/bidder_0/bidder_1"),
        ("probe/collusion_index", "collusion_index"),
        ("measure/", "measure/"),
    ],
)
def test_a_tag_of_tensorboard_names_the_same_reading(watch, name):
    assert plain_name(watch) == name


def test_a_band_in_words():
    assert [str(band) for band in (Band(0.25, 1.5), Band(high=2), Band(low=-1), Band())] == [
        "0.25..1.5", "..2", "-1..", "..",
    ]  # fmt: skip
