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

from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.envs.cloud_bandwidth.measures import QUANTITY
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.types import Finite, Floats, Positive

from .data_file import LEAST_ROWS, Column, DataFile
from .market_fit import MarketFit
from .play import play_rounds
from .samples import Sample
from .value_lists import UNSEEN, quantile_list, significant, whole_numbers

COLUMNS = (
    Column("time", "date", "when demand was measured, or asked for"),
    Column("value", "amount", "demand; without it rows are counted", required=False),
)
LEAST_SURGES = 5
MOST_ROUNDS = 10_000_000


class SurgeOptions(BaseModel):
    """How a file becomes rounds, and what a surge is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    interval: Positive | None = Field(
        None, description="seconds of a round; null: the usual distance between two rows"
    )
    threshold: Finite = Field(
        2.0, gt=1, description="a surge is demand above so many times the median"
    )


class Surges(NamedTuple):
    """The n surges of a series of R rounds, in order of time.

    Attributes:
        lengths: rounds, float64 `[n]`.
        sizes: mean demand over the median of calm rounds, float64 `[n]`.
        enter: the probability that a surge follows a calm round.
        inside: of every round that has a value, 1 in a surge, else 0, float64 `[<= R]`.
    """

    lengths: Floats
    sizes: Floats
    enter: float
    inside: Floats


def demand_series(data: DataFile, options: SurgeOptions) -> Floats:
    """Demand by round, float64 `[R]`; NaN where an interval has no row.

    Raises:
        ConfigError: too few rows or rounds, too many rounds, or no interval can be read.
    """
    time, value = data.columns["time"], data.columns.get("value")
    readable = ~np.isnan(time) if value is None else ~np.isnan(time) & ~np.isnan(value)
    if readable.sum() < LEAST_ROWS:
        raise ConfigError(
            f"{data.file}: {readable.sum()} rows have time and value, at least {LEAST_ROWS} are "
            "needed."
        )
    order = np.argsort(time[readable], kind="stable")
    time = time[readable][order] - time[readable].min()
    interval = options.interval or _usual_interval(time, counted=value is None)
    if value is None:
        at = np.floor(time / interval).astype(np.int64)
        rounds = int(at[-1])  # without the last interval, which the file's end cuts short
    else:
        at = np.floor(time / interval + 0.5).astype(np.int64)  # the nearest interval
        rounds = int(at[-1]) + 1
    if not LEAST_ROWS <= rounds <= MOST_ROUNDS:
        raise ConfigError(
            f"{data.file}: {rounds:,} rounds of {interval:g} s, must be {LEAST_ROWS} .. "
            f"{MOST_ROUNDS:,}. Choose another --interval."
        )
    count = np.bincount(at, minlength=rounds)[:rounds].astype(np.float64)
    if value is None:
        return count
    total = np.bincount(at, value[readable][order], minlength=rounds)
    mean: Floats = np.divide(total, count, out=np.full(rounds, np.nan), where=count > 0)
    return mean


def _usual_interval(time: Floats, counted: bool) -> float:
    """Seconds between two rows, from sorted times, float64 `[n]`; counts have no usual interval."""
    if counted:
        raise ConfigError(
            "--interval: missing. Without a column of values rows are counted, in intervals of so "
            "many seconds."
        )
    interval = float(np.median(np.diff(time)))
    if interval <= 0:
        raise ConfigError(
            "--interval: missing. Most rows have the time of the one before: give seconds."
        )
    return interval


def surges(demand: Floats, threshold: float) -> Surges:
    """The surges of a series by this module's rule.

    Args:
        demand: by round, float64 `[R]`; NaN where there is no value.
        threshold: of a surge, in medians of the series.
    """
    there = ~np.isnan(demand)
    high = np.where(there, demand, 0.0) > threshold * np.nanmedian(demand)
    # Where a surge begins and where it has just ended, in turn.
    edges = np.flatnonzero(np.diff(np.r_[False, high, False].astype(np.int8)))
    begins, ends = edges[::2], edges[1::2]
    calm = there & ~high
    level = np.median(demand[calm])
    sizes = [demand[a:b].mean() / level for a, b in zip(begins, ends, strict=True)]
    followed = calm[:-1] & there[1:]  # calm rounds whose next round has a value
    enter = float(high[1:][followed].mean()) if followed.any() else 0.0
    inside = high[there].astype(np.float64)
    return Surges((ends - begins).astype(np.float64), np.array(sizes), enter, inside)


def _surges_of(data: DataFile, options: SurgeOptions) -> Surges:
    """The surges of a file.

    Raises:
        ConfigError: there are too few, or demand has no scale.
    """
    demand = demand_series(data, options)
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


def fit(data: DataFile, options: SurgeOptions) -> dict[str, Any]:
    """The key `surge`.

    Raises:
        ConfigError: the file has too few surges.
    """
    found = _surges_of(data, options)
    return {
        "surge": {
            "enter": significant(np.array([found.enter]), 4)[0],
            "lengths": whole_numbers(quantile_list(found.lengths, UNSEEN), least=1),
            "multiplier": significant(quantile_list(found.sizes, UNSEEN), 4),
        }
    }


def _samples(found: Surges) -> list[Sample]:
    return [
        Sample("surge length", found.lengths, "rounds", whole=True),
        Sample("surge size", found.sizes, "x calm"),
        Sample("in a surge", found.inside, "of rounds", share=True),
    ]


def of_file(data: DataFile, options: SurgeOptions) -> list[Sample]:
    """Length and size of surges, share of rounds in one."""
    return _samples(_surges_of(data, options))


def of_market(market: Market, data: DataFile, options: SurgeOptions) -> list[Sample]:
    """The same of the first provider's demand at constant prices."""
    config = ScriptedConfig(rule="competitive")
    tables = [Scripted(config, market, seat).table() for seat in market.seats]
    _, measures = play_rounds(market, tables)
    return _samples(surges(measures[:, 0, QUANTITY], options.threshold))


FIT = MarketFit(
    columns=COLUMNS,
    options=SurgeOptions,
    question="What do providers charge when demand surges as in {file}?",
    fit=fit,
    of_file=of_file,
    of_market=of_market,
)
