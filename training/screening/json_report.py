"""What `tacit screen --json` prints."""

from __future__ import annotations

from math import isfinite
from typing import Any

from tacit.emergence.screens.cover_bids import BidderPair
from tacit.emergence.screens.survey import ScreenReading
from tacit.emergence.screens.winner_rotation import ShuffledFigure

from .report import ALPHA, cannot_say
from .screening import WINDOW, Screening

INTERVALS = {"share": "bootstrap over tenders", "median": "order statistics, exact"}


def as_json(done: Screening) -> dict[str, Any]:
    """Values at the top by name (`D(-0.05)`, `hole`, `cv`, ...), then intervals, control, rows."""
    readings, bids = done.survey.readings, done.bids
    found: dict[str, Any] = {reading.name: _defined(reading.value.mean) for reading in readings}
    found["readings"] = {reading.name: _reading(reading) for reading in readings}
    found["rows"] = {
        "read": bids.rows,
        "kept": len(bids.bid),
        "left_out": {k: {"rows": v.rows, "lines": v.lines} for k, v in bids.left_out.items()},
        "notes": bids.notes,
        "reading": bids.reading,
    }
    found["tenders"] = done.survey.tenders
    found["control"] = {"deals": done.survey.deals, "one_scale": done.survey.one_scale}
    found["resamples"] = done.survey.resamples
    if bids.bidder is not None:
        found["pairs"] = [_pair(p, bids.bidders) for p in done.pairs if p.p < ALPHA]
        found["pairs_tested"] = len(done.pairs)
        if done.rotation is not None:
            found["rotation"] = {
                "steps": done.rotation.steps,
                "information": _shuffled(done.rotation.information),
                "repeats": _shuffled(done.rotation.repeats),
            }
    if bids.dates is not None:
        last, values = done.rolling
        found["rolling_cv"] = {
            "window": WINDOW,
            "until": [bids.dates[k] for k in last],
            "median": [float(x) for x in values],
        }
    return {**found, "cannot_say": cannot_say(done.survey.one_scale)}


def _reading(reading: ScreenReading) -> dict[str, Any]:
    return {
        "value": _defined(reading.value.mean),
        "ci95": [_defined(reading.value.low), _defined(reading.value.high)],
        "interval": INTERVALS[reading.kind],
        "tenders": reading.value.n,
        "control": _defined(reading.control.mean),
        "control95": [_defined(reading.control.low), _defined(reading.control.high)],
        "against": reading.against,
    }


def _pair(pair: BidderPair, names: list[str]) -> dict[str, Any]:
    return {
        "below": names[pair.below],
        "above": names[pair.above],
        "met": pair.met,
        "wins": pair.wins,
        "margin": pair.margin,
        "p": pair.p,
    }


def _shuffled(x: ShuffledFigure) -> dict[str, float]:
    return {"value": x.value, "shuffled": x.mean, "low": x.low, "high": x.high}


def _defined(x: float) -> float | None:
    """JSON has no NaN."""
    return x if isfinite(x) else None
