"""What a click is worth, with floor prices and the course of a day.

The amounts of the file are taken for bidders' values, none below `floor`, which is for files whose
means hide it. An amount that occurs in at least `FLOOR` of the rows is a floor price and has an
entry of its own; the others are put into 15 cells of equal share, each standing for its middle. A
day is cut into `parts` of equal length, a round each; their probabilities are the shares of their
rows in every cell.

It is played by bidders that bid anything; a bidder's value is its bid and what it shaded.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tacit.agents.policy import uniform
from tacit.envs.ad_auction import AdAuction
from tacit.envs.ad_auction.measures import BID, SHADING
from tacit.envs.ad_auction.positions import LAST_BIDS
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.types import Floats, Ints, NonNegative
from tacit.training.user_files.date_format import DAY

from .data_file import Column, DataFile
from .market_fit import MarketFit
from .play import play_rounds
from .samples import Sample
from .value_lists import UNSEEN, quantile_list, significant

COLUMNS = (
    Column("time", "date", "when it was paid: the day's course is read from it"),
    Column("value", "amount", "what was paid for a click"),
)
FLOOR = 0.05  # the share of rows from which on an amount is a floor price
LEAST_IN_A_PART = 10
DIGITS = 4
SHARES = 10_000  # probabilities are whole numbers of these


class ClickOptions(BaseModel):
    """The parts of a day, and a floor price that the file does not know of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parts: Annotated[int, Field(ge=1, le=48)] = Field(
        8, description="parts of equal length of a day, a round each; 1 leaves the day out"
    )
    floor: NonNegative = Field(
        0.0, description="what is below is lifted to it, for files whose means hide floor prices"
    )


def _amounts(data: DataFile, options: ClickOptions) -> tuple[Floats, Ints]:
    """Amounts, float64 `[n]`, and the part of the day of each, int64 `[n]`.

    Raises:
        ConfigError: a part of the day has too few rows.
    """
    time, value = data.columns["time"], data.columns["value"]
    readable = ~np.isnan(time) & ~np.isnan(value)
    parts = (time[readable] % DAY * options.parts / DAY).astype(np.int64)
    count = np.bincount(parts, minlength=options.parts)
    few = np.flatnonzero(count < LEAST_IN_A_PART)
    if few.size:
        hours = 24 / options.parts
        raise ConfigError(
            f"--parts: {options.parts} leaves {count[few[0]]} rows between hour "
            f"{few[0] * hours:g} and {(few[0] + 1) * hours:g}, at least {LEAST_IN_A_PART} are "
            "needed. Use fewer parts; 1 leaves the day out."
        )
    return np.maximum(value[readable], options.floor), parts


def floor_prices(values: Floats) -> list[float]:
    """Amounts that occur in at least `FLOOR` of the rows, from values `[n]`."""
    amounts, count = np.unique(values, return_counts=True)
    return [float(v) for v in amounts[count >= FLOOR * len(values)]]


def _cells(values: Floats) -> Floats:
    """The entry of every amount `[n]`: itself if it is a floor price, else its cell's middle."""
    entries = values.copy()
    rest = ~np.isin(values, floor_prices(values))
    if rest.any():
        edges = np.quantile(values[rest], np.arange(1, UNSEEN) / UNSEEN)
        middles = np.array(significant(quantile_list(values[rest], UNSEEN), DIGITS))
        entries[rest] = middles[np.searchsorted(edges, values[rest], side="left")]
    return entries


def _shares(counts: Ints) -> list[float]:
    """Shares `[k]` of four digits that sum to 1; the largest remainders are rounded up."""
    exact = counts * SHARES / counts.sum()
    whole = np.floor(exact).astype(np.int64)
    left = SHARES - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:left]] += 1
    return [int(w) / SHARES for w in whole]


def fit(data: DataFile, options: ClickOptions) -> dict[str, Any]:
    """The key `value`, a list, with the day's `cycle` if it has several parts.

    Raises:
        ConfigError: a part of the day has too few rows, or all values are equal.
    """
    amounts, parts = _amounts(data, options)
    entries = _cells(amounts)
    values = np.unique(entries)
    if len(values) < 2:
        raise ConfigError(f"{data.file}: every value is {values[0]:g}, at least two are needed.")
    at = np.searchsorted(values, entries)
    days = [
        _shares(np.bincount(at[parts == k], minlength=len(values))) for k in range(options.parts)
    ]
    shares = {"cycle": days} if options.parts > 1 else {"probabilities": days[0]}
    return {"value": {"kind": "list", "values": values.tolist(), **shares}}


def _samples(
    values: Floats, parts: Ints, options: ClickOptions, floors: list[float]
) -> list[Sample]:
    """What is compared: all values, shares at floor prices, values by part of the day."""
    samples = [Sample("value", values, "money")]
    for floor in floors:
        # The engine's values may differ from the file's in their last bits.
        here = np.isclose(values, floor, rtol=1e-9).astype(np.float64)
        samples.append(Sample(f"floor price {floor:g}", here, "of values", share=True))
    hours = 24 / options.parts
    for k in range(options.parts if options.parts > 1 else 0):
        name = f"value, hours {k * hours:g} to {(k + 1) * hours:g}"
        samples.append(Sample(name, values[parts == k], "money", quantiles=(0.5,)))
    return samples


def of_file(data: DataFile, options: ClickOptions) -> list[Sample]:
    """Values of the whole day, shares at floor prices, and values by part of the day."""
    amounts, parts = _amounts(data, options)
    return _samples(amounts, parts, options, floor_prices(amounts))


def of_market(market: Market, data: DataFile, options: ClickOptions) -> list[Sample]:
    """The same of all bidders' values in the market."""
    assert isinstance(market, AdAuction)
    states, measures = play_rounds(market, [uniform(seat.role) for seat in market.seats])
    bidders = market.config.bidders
    values = (measures[:, :bidders, BID] + measures[:, :bidders, SHADING]).ravel()
    # The part of the day is kept in the state behind the three numbers of every bidder.
    times = states[:, LAST_BIDS + 3 * bidders] if options.parts > 1 else np.zeros(len(states))
    parts = np.repeat(times.astype(np.int64), bidders)
    return _samples(values, parts, options, floor_prices(_amounts(data, options)[0]))


FIT = MarketFit(
    columns=COLUMNS,
    options=ClickOptions,
    question="What do bidders pay when a click is worth what {file} says?",
    fit=fit,
    of_file=of_file,
    of_market=of_market,
    # The market's default learner begins with a Q made for a value of 1; this one suits any money.
    agents={"bidder": "q_learning"},
)
