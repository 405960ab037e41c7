"""What a click is worth, floor prices and the course of a day included.

The amounts of the file are taken for bidders' values, none below `floor`, which is for files whose
means hide it. An amount that stands in at least `FLOOR` of the rows is a floor price and has an
entry of its own; the others are put into 15 cells of equal share, each standing for its middle. A
day is cut into `parts` of equal length, a round each; their probabilities are the shares of their
rows in every cell.

It is played by bidders that bid anything; a bidder's value is its bid and what it shaded.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tacit.agents.policy import uniform
from tacit.envs.ad_auction import AdAuction
from tacit.envs.ad_auction.kernels import LAST_BIDS
from tacit.envs.ad_auction.measures import BID, SHADING
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
)
from .table import DAY, Data

FIELDS = (
    table.Field("time", "date", "when it was paid: the day's course is read from it"),
    table.Field("value", "amount", "what was paid for a click"),
)
QUESTION = "What do bidders pay when a click is worth what {file} says?"
# the default learner's first Q is made for a value of 1; this one's fits any money
AGENTS: dict[str, Any] = {"bidder": "q_learning"}

FLOOR = 0.05
LEAST_IN_A_PART = 10
DIGITS = 4
SHARES = 10_000  # probabilities are whole numbers of these


class Options(BaseModel):
    """Parts of a day (1 leaves the day out), and a floor price that the file does not know of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parts: Annotated[int, Field(ge=1, le=48)] = 8
    floor: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


def _rows(data: Data, options: Options) -> tuple[Array, NDArray[np.int64]]:
    """Amounts, and the part of the day of each."""
    time, value = data.columns["time"], data.columns["value"]
    good = ~np.isnan(time) & ~np.isnan(value)
    parts = (time[good] % DAY * options.parts / DAY).astype(np.int64)
    count = np.bincount(parts, minlength=options.parts)
    few = np.flatnonzero(count < LEAST_IN_A_PART)
    if few.size:
        hours = 24 / options.parts
        raise ConfigError(
            f"--parts: {options.parts} leaves {count[few[0]]} rows between hour "
            f"{few[0] * hours:g} and {(few[0] + 1) * hours:g}, at least {LEAST_IN_A_PART} are "
            "needed. Use fewer parts; 1 leaves the day out."
        )
    return np.maximum(value[good], options.floor), parts


def floors(values: Array) -> list[float]:
    """Amounts that stand in at least `FLOOR` of the rows."""
    amounts, count = np.unique(values, return_counts=True)
    return [float(v) for v in amounts[count >= FLOOR * len(values)]]


def _cells(values: Array) -> Array:
    """Every amount's entry: itself if it is a floor price, else the middle of its cell."""
    entries = values.copy()
    rest = ~np.isin(values, floors(values))
    if rest.any():
        edges = np.quantile(values[rest], np.arange(1, UNSEEN) / UNSEEN)
        middles = np.array(rounded(centres(values[rest], UNSEEN), DIGITS))
        entries[rest] = middles[np.searchsorted(edges, values[rest], side="left")]
    return entries


def _shares(counts: NDArray[np.int64]) -> list[float]:
    """Shares with four digits that sum to 1: what rounding leaves goes to the largest rests."""
    exact = counts * SHARES / counts.sum()
    whole = np.floor(exact).astype(np.int64)
    left = SHARES - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:left]] += 1
    return [int(w) / SHARES for w in whole]


def fit(data: Data, options: Options) -> dict[str, Any]:
    """`value`, a list, with the day's `cycle` if it has several parts."""
    amounts, parts = _rows(data, options)
    entries = _cells(amounts)
    values = np.unique(entries)
    if len(values) < 2:
        raise ConfigError(f"{data.file}: every value is {values[0]:g}, at least two are needed.")
    at = np.searchsorted(values, entries)
    days = [_shares(np.bincount(at[parts == k], minlength=len(values)))
            for k in range(options.parts)]  # fmt: skip
    shares = {"cycle": days} if options.parts > 1 else {"probabilities": days[0]}
    return {"value": {"kind": "list", "values": values.tolist(), **shares}}


def _samples(
    values: Array, parts: NDArray[np.int64], options: Options, at: list[float]
) -> list[Sample]:
    found = [Sample("value", values, "money")]
    for floor in at:
        here = np.isclose(values, floor, rtol=1e-9).astype(np.float64)
        found.append(Sample(f"floor price {floor:g}", here, "of values", share=True))
    hours = 24 / options.parts
    for k in range(options.parts if options.parts > 1 else 0):
        name = f"value, hours {k * hours:g} to {(k + 1) * hours:g}"
        found.append(Sample(name, values[parts == k], "money", quantiles=(0.5,)))
    return found


def of_file(data: Data, options: Options) -> list[Sample]:
    """Values of the whole day, shares at floor prices, and values by part of the day."""
    amounts, parts = _rows(data, options)
    return _samples(amounts, parts, options, floors(amounts))


def of_market(market: Market, data: Data, options: Options) -> list[Sample]:
    """The same of all bidders' values in the market."""
    assert isinstance(market, AdAuction)
    states, measures = traced(market, [uniform(seat.role) for seat in market.seats])
    bidders = market.config.bidders
    values = (measures[:, :bidders, BID] + measures[:, :bidders, SHADING]).ravel()
    times = states[:, LAST_BIDS + 3 * bidders] if options.parts > 1 else np.zeros(len(states))
    parts = np.repeat(times.astype(np.int64), bidders)
    return _samples(values, parts, options, floors(_rows(data, options)[0]))
