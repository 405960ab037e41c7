"""Surges of demand.

A file is a series of demand, a round an interval of it: the mean of its rows' values, or, without a
column of values, the number of its rows. A *surge* is a run of rounds in which demand exceeds
`threshold` times the series' median; what is not a surge is calm. Its length is the number of its
rounds, its size the mean demand in it over the median of calm rounds. An interval without a row
(where values are given) is neither, and ends a surge; surges that the file's ends cut count as they
are. `enter` is the share of calm rounds that a surge follows, `lengths` and `multiplier` are lists
of quantiles; that a length and a size belong together is not kept.

It is played by providers that never change their price, so that demand moves by surges alone; the
series of the first one's demand is then read by the same rule.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.envs.cloud_bandwidth.measures import QUANTITY
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market

from . import table
from .play import traced
from .samples import (
    UNSEEN,
    Array,
    Sample,
    centres,
    rounded,
    whole,
)
from .table import LEAST_ROWS, Data

FIELDS = (
    table.Field("time", "date", "when demand was measured, or asked for"),
    table.Field("value", "amount", "demand; without it rows are counted", required=False),
)
QUESTION = "What do providers charge when demand surges as in {file}?"
AGENTS: dict[str, Any] = {}

LEAST_SURGES = 5
MOST_ROUNDS = 10_000_000
THRESHOLD = 2.0


class Options(BaseModel):
    """How a file becomes rounds, and what a surge is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    interval: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None  # seconds
    threshold: Annotated[float, Field(gt=1, allow_inf_nan=False)] = THRESHOLD


class Surges(NamedTuple):
    """Surges of a series: rounds `[n]`, sizes `[n]`; chance that one follows a calm round; rounds
    in a surge, 1 or 0."""

    lengths: Array
    sizes: Array
    enter: float
    inside: Array


def series(data: Data, options: Options) -> Array:
    """Demand by round, NaN where an interval has no row."""
    time, value = data.columns["time"], data.columns.get("value")
    counted = value is None
    good = ~np.isnan(time) if value is None else ~np.isnan(time) & ~np.isnan(value)
    if good.sum() < LEAST_ROWS:
        raise ConfigError(
            f"{data.file}: {good.sum()} rows have time and value, at least {LEAST_ROWS} are needed."
        )
    order = np.argsort(time[good], kind="stable")
    time = time[good][order] - time[good].min()
    interval = options.interval or (0.0 if counted else float(np.median(np.diff(time))))
    if interval <= 0:
        raise ConfigError(
            "--interval: missing. Without a column of values rows are counted, in intervals of so "
            "many seconds."
            if counted
            else "--interval: missing. Most rows have the time of the one before: give seconds."
        )
    # counts: the last interval is cut short; values: a row belongs to the nearest interval
    at = np.floor(time / interval + (0.0 if counted else 0.5)).astype(np.int64)
    rounds = int(at[-1]) + (0 if counted else 1)
    if not LEAST_ROWS <= rounds <= MOST_ROUNDS:
        raise ConfigError(
            f"{data.file}: {rounds:,} rounds of {interval:g} s, must be {LEAST_ROWS} .. "
            f"{MOST_ROUNDS:,}. Choose another --interval."
        )
    count = np.bincount(at, minlength=rounds)[:rounds].astype(np.float64)
    if value is None:
        return count
    total = np.bincount(at, value[good][order], minlength=rounds)
    made: Array = np.divide(total, count, out=np.full(rounds, np.nan), where=count > 0)
    return made


def surges(demand: Array, threshold: float) -> Surges:
    """The surges of a series by this module's rule, in order of time."""
    there = ~np.isnan(demand)
    high = np.where(there, demand, 0.0) > threshold * np.nanmedian(demand)
    edges = np.flatnonzero(np.diff(np.r_[False, high, False].astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    calm = there & ~high
    level = np.median(demand[calm])
    sizes = [demand[a:b].mean() / level for a, b in zip(starts, ends, strict=True)]
    before = calm[:-1] & there[1:]  # calm rounds that something is known to follow
    enter = float(high[1:][before].mean()) if before.any() else 0.0
    inside = high[there].astype(np.float64)
    return Surges((ends - starts).astype(np.float64), np.array(sizes), enter, inside)


def _found(data: Data, options: Options) -> Surges:
    demand = series(data, options)
    median = float(np.nanmedian(demand))
    if median <= 0:
        raise ConfigError(
            f"{data.file}: the median of {len(demand):,} rounds is 0, must be above 0: half of "
            "them have no demand. Choose a longer --interval."
        )
    found = surges(demand, options.threshold)
    if len(found.lengths) < LEAST_SURGES:
        raise ConfigError(
            f"--threshold: {len(found.lengths)} surges above {options.threshold:g} x the median "
            f"{median:g}, at least {LEAST_SURGES} are needed. Lower it, or shorten --interval."
        )
    return found


def fit(data: Data, options: Options) -> dict[str, Any]:
    """`surge`."""
    found = _found(data, options)
    return {
        "surge": {
            "enter": rounded(np.array([found.enter]), 4)[0],
            "lengths": whole(centres(found.lengths, UNSEEN), least=1),
            "multiplier": rounded(centres(found.sizes, UNSEEN), 4),
        }
    }


def _samples(found: Surges) -> list[Sample]:
    return [
        Sample("surge length", found.lengths, "rounds", whole=True),
        Sample("surge size", found.sizes, "x calm"),
        Sample("in a surge", found.inside, "of rounds", share=True),
    ]


def of_file(data: Data, options: Options) -> list[Sample]:
    """Length and size of surges, share of rounds in one."""
    return _samples(_found(data, options))


def of_market(market: Market, data: Data, options: Options) -> list[Sample]:
    """The same of the first provider's demand at constant prices."""
    config = ScriptedConfig(rule="competitive")
    tables = [Scripted(config, market, seat).table() for seat in market.seats]
    _, measures = traced(market, tables)
    return _samples(surges(measures[:, 0, QUANTITY], options.threshold))
