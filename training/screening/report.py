"""`tacit screen`: a user's bids read, screened, told, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from tacit.emergence.screens.bid_screens import rolling_cv
from tacit.emergence.screens.cover_bids import LEAST_MEETINGS, BidderPair, bidder_pairs
from tacit.emergence.screens.survey import ScreenReading, Survey, survey
from tacit.emergence.screens.tenders import group_bids
from tacit.emergence.screens.winner_rotation import (
    LEAST_STEPS,
    ShuffledFigure,
    WinnerRotation,
    winner_rotation,
    winners,
)
from tacit.emergence.stats import Estimate, interval, number
from tacit.envs.errors import ConfigError
from tacit.envs.types import Floats, Ints

from .bids import (
    BidColumns,
    Bids,
    read_bids,
    told_reasons,
)

WINDOW = 50  # tenders of a rolling figure
PAIRS = 5  # shown
ALPHA = 0.05

MEANING = {
    "hole": "bids within .2 % of winning or losing, against those around",
    "cv": "sd / mean of a tender's bids",
    "gap": "second bid above the lowest",
    "relative_distance": "that gap in sd of the losing bids",
    "skewness": "of a tender's bids",
    "spread": "highest bid above the lowest",
    "uniformity": "inner bids' distance from evenly scattered ones",
}
CANNOT = (
    "A screen is a reason to look, not a finding. It fires on any settled deterministic bidding, "
    "and some proven cartels pass it.",
    "The control deals the same bids among tenders with the same number of them. What the bids of "
    "a tender have in common (costs, district, season) is lost in it, so cv, spread and D differ "
    "from it for innocent reasons too.",
    "The lowest bid is taken to win. Who bid under a minimum price, in a second round, or not at "
    "all, is not seen.",
    "A rule of the auction (a secret reserve, rebidding) can empty the margin around zero as well.",
)


@dataclass(frozen=True)
class Screened:
    """What was read and what screens say of it."""

    path: Path
    bids: Bids
    survey: Survey
    rotation: WinnerRotation | None
    pairs: list[BidderPair]
    rolling: tuple[Ints, Floats]


def parse_rhos(text: str) -> list[float]:
    """`-.05,.01` as numbers.

    Raises:
        ConfigError: all that are none, or not in -1 .. 1.
    """
    found, mistakes = [], []
    for word in text.split(","):
        try:
            rho = float(word)
        except ValueError:
            rho = float("nan")
        if -1.0 < rho < 1.0:
            found.append(rho)
        else:
            mistakes.append(f"--rho: must be numbers between -1 and 1, got '{word.strip()}'.")
    if mistakes:
        raise ConfigError(mistakes)
    return list(dict.fromkeys(found))


def screen(path: Path, columns: BidColumns, rhos: Sequence[float]) -> Screened:
    """Read a file and run every screen that its columns allow."""
    kept = read_bids(path, columns)
    found = survey(group_bids(kept.tender, kept.bid), rhos)
    rotation, pairs = None, []
    if kept.bidder is not None:
        rotation = winner_rotation(winners(kept.tender, kept.bid, kept.bidder))
        pairs = bidder_pairs(kept.tender, kept.bid, kept.bidder)
    rolling: tuple[Ints, Floats] = (np.empty(0, np.int64), np.empty(0))
    if kept.dates is not None:
        rolling = rolling_cv(kept.tender, kept.bid, WINDOW)
    return Screened(path, kept, found, rotation, pairs, rolling)


# --- in words -------------------------------------------------------------------------------------


def heading(done: Screened) -> list[str]:
    """Rows kept and left out, and how control and intervals were made."""
    kept, found = done.bids, done.survey
    lines = [
        f"{done.path}: {kept.rows:,} rows; {found.bids:,} bids kept, in {found.tenders:,} tenders "
        "with two bids or more"
    ]
    lines += [f"  left out: {told}" for told in told_reasons(kept.left_out)]
    lines += [f"  {note}" for note in kept.notes]
    return lines


def rows(done: Screened) -> list[dict[str, str]]:
    """The table of screens."""
    return [
        {
            "screen": r.name,
            "of": MEANING.get(r.name, "bids that would still win alone, times 1 + rho"),
            "value": _told(r.value.mean),
            "95 %": _interval(r.value),
            "tenders": f"{r.value.n:,}",
            "control": _told(r.control.mean),
            "95 % of deals": _interval(r.control),
            "against control": r.against + " *" * r.fires,
        }
        for r in done.survey.readings
    ]


def _told(x: float) -> str:
    if not isfinite(x):
        return "-"
    return f"{x:.4f}".replace("0.", ".", 1) if abs(x) < 0.1 else number(x)


def _interval(e: Estimate) -> str:
    if not (isfinite(e.low) and isfinite(e.high)):
        return "-"
    return interval(e) if abs(e.mean) >= 0.1 else f"[{_told(e.low)}, {_told(e.high)}]"


def remarks(done: Screened) -> list[str]:
    """How it was computed, what bidders and dates add, and what screens cannot say."""
    found = done.survey
    dealt = "as they are" if found.one_scale else (
        "relative to their tender's mean, since tenders are of different size: a cv or spread like "
        "the control's says nothing then; --reserve puts bids on one scale"
    )  # fmt: skip
    lines = [
        "* on the side of the control on which arranged bids would lie",
        f"Shares: bootstrap over tenders, {found.resamples:,} resamples. Others: medians over "
        "tenders with exact order-statistic intervals.",
        f"Control: {found.deals} deals of the bids {dealt}.",
    ]
    if found.alone:
        lines.append(
            f"{found.alone} tenders share their number of bids with no other: deals leave them."
        )
    lines += _over_time(done) + _by_bidder(done)
    return [*lines, "", *CANNOT]


def _over_time(done: Screened) -> list[str]:
    last, values = done.rolling
    if done.bids.dates is None:
        return []
    if not len(values):
        return [f"Rolling cv: needs {WINDOW} tenders with two bids."]
    low, high = int(values.argmin()), int(values.argmax())
    told = [f"{_told(float(values[k]))} (up to {done.bids.dates[last[k]]})" for k in (low, high)]
    return [f"Rolling cv, median of {WINDOW} tenders: lowest {told[0]}, highest {told[1]}."]


def _by_bidder(done: Screened) -> list[str]:
    if done.bids.bidder is None:
        return []
    order = "in order of dates" if done.bids.dates is not None else "in order of the file"
    lines = [f"Rotation: needs {LEAST_STEPS} steps from winner to winner."]
    if done.rotation is not None:
        r = done.rotation
        parts = [
            f"{name} {number(x.value)}, shuffled {number(x.mean)} [{number(x.low)}, "
            f"{number(x.high)}]"
            for name, x in (("information (nats)", r.information), ("repeats", r.repeats))
        ]
        lines = [f"Rotation, {r.steps:,} steps from winner to winner {order}: {'; '.join(parts)}."]
    clear = [p for p in done.pairs if p.p < ALPHA]
    lines.append(
        f"Pairs that met {LEAST_MEETINGS} times or more: {len(done.pairs):,}; one stays below the "
        f"other more often than a fair coin allows in {len(clear):,} (exact, Bonferroni)."
    )
    names = done.bids.bidders
    for p in clear[:PAIRS]:
        lines.append(
            f"  {names[p.above]} above {names[p.below]} in {p.wins} of {p.met}, median margin "
            f"{_told(p.margin)}, p {p.p:.2g}"
        )
    return lines


# --- as data --------------------------------------------------------------------------------------


def as_json(done: Screened) -> dict[str, Any]:
    """Values at the top by name (`D(-0.05)`, `hole`, `cv`, ...), then intervals, control, rows."""
    readings, kept = done.survey.readings, done.bids
    names = kept.bidders
    found: dict[str, Any] = {r.name: _plain(r.value.mean) for r in readings}
    found["readings"] = {r.name: _reading(r) for r in readings}
    found["rows"] = {
        "read": kept.rows,
        "kept": len(kept.bid),
        "left_out": {k: {"rows": v.rows, "lines": v.lines} for k, v in kept.left_out.items()},
        "notes": kept.notes,
    }
    found["tenders"] = done.survey.tenders
    found["control"] = {"deals": done.survey.deals, "one_scale": done.survey.one_scale}
    found["resamples"] = done.survey.resamples
    if kept.bidder is not None:
        found["pairs"] = [
            {"below": names[p.below], "above": names[p.above], "met": p.met, "wins": p.wins,
             "margin": p.margin, "p": p.p}
            for p in done.pairs
            if p.p < ALPHA
        ]  # fmt: skip
        found["pairs_tested"] = len(done.pairs)
        if done.rotation is not None:
            found["rotation"] = {
                "steps": done.rotation.steps,
                "information": _shuffled(done.rotation.information),
                "repeats": _shuffled(done.rotation.repeats),
            }
    if kept.dates is not None:
        last, values = done.rolling
        found["rolling_cv"] = {
            "window": WINDOW,
            "until": [kept.dates[k] for k in last],
            "median": [float(x) for x in values],
        }
    return {**found, "cannot_say": list(CANNOT)}


def _reading(r: ScreenReading) -> dict[str, Any]:
    return {
        "value": _plain(r.value.mean),
        "ci95": [_plain(r.value.low), _plain(r.value.high)],
        "interval": "bootstrap over tenders" if r.kind == "share" else "order statistics, exact",
        "tenders": r.value.n,
        "control": _plain(r.control.mean),
        "control95": [_plain(r.control.low), _plain(r.control.high)],
        "against": r.against,
    }


def _shuffled(x: ShuffledFigure) -> dict[str, float]:
    return {"value": x.value, "shuffled": x.mean, "low": x.low, "high": x.high}


def _plain(x: float) -> float | None:
    return x if isfinite(x) else None
