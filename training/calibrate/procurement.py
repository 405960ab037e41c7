"""Lead times and delays of orders.

An order is sent, its delivery is scheduled, it is delivered. What the market's supplier knows is
the time from sending to schedule or delivery, whichever comes first; what is delivered after the
schedule was held up by what could not be foreseen. So `lead_times` is fitted to the first, `delays`
to the second, and the lead time that the market shows, from order to delivery, is their sum.

It is played by suppliers that promise what they know and a buyer that always buys from the first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from tacit.agents.policy import PolicyTable, deterministic
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market, Seat
from tacit.envs.procurement import Procurement
from tacit.envs.procurement.measures import LATE_DAYS, WIN
from tacit.envs.procurement.positions import LEAD, SUPPLIERS
from tacit.envs.types import Floats
from tacit.training.user_files.date_format import DAY

from .data_file import LEAST_ROWS, Column, DataFile
from .market_fit import MarketFit
from .play import play_rounds
from .samples import Sample
from .value_lists import SEEN, UNSEEN, quantile_list, significant, whole_numbers

COLUMNS = (
    Column("sent", "date", "when the order was sent (may be empty in some rows)"),
    Column("scheduled", "date", "when it was to be delivered"),
    Column("delivered", "date", "when it was delivered"),
)


class DeliveryOptions(BaseModel):
    """Nothing to choose."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _days(data: DataFile) -> tuple[Floats, Floats, Floats]:
    """Days of orders, float64 `[n]`, `[n]` and `[m]`.

    Returns:
        From sending to delivery, of the n orders that were delivered later than they were sent; how
        many of these days were foreseen; days late of the m orders that were scheduled and
        delivered.

    Raises:
        ConfigError: there are too few orders of either kind.
    """
    # Whole days: times of day do not matter.
    sent, scheduled, delivered = (np.floor(data.columns[c.name] / DAY) for c in COLUMNS)
    late = np.maximum(delivered - scheduled, 0.0)
    known = ~np.isnan(late) & (delivered - sent > 0)
    taken = (delivered - sent)[known]
    foreseen = np.maximum(taken - late[known], 0.0)
    late = late[~np.isnan(late)]
    for label, values in (("delivered after it was sent", taken), ("scheduled, delivered", late)):
        if len(values) < LEAST_ROWS:
            raise ConfigError(
                f"{data.file}: {len(values)} of {data.rows:,} rows have an order {label}, at least "
                f"{LEAST_ROWS} are needed."
            )
    return taken, foreseen, late


def fit(data: DataFile, options: DeliveryOptions) -> dict[str, Any]:
    """The key `lead_times`, and `delays` if any delivery was late.

    Raises:
        ConfigError: the file has too few orders with all dates.
    """
    _, foreseen, late = _days(data)
    keys: dict[str, Any] = {"lead_times": whole_numbers(quantile_list(foreseen, SEEN))}
    if late.any():
        days = whole_numbers(quantile_list(late[late > 0], UNSEEN), least=1)
        share = significant(np.array([(late > 0).mean()]), 4)[0]
        keys["delays"] = {"probability": share, "days": days}
    return keys


def _samples(taken: Floats, late: Floats, delays: bool) -> list[Sample]:
    """What is compared; `delays`: whether any delivery can be late."""
    samples = [
        Sample("lead time", taken, "days", whole=True),
        Sample("late", (late > 0).astype(np.float64), "of deliveries", share=True),
    ]
    given_late = Sample("days late given late", late[late > 0], "days", whole=True)
    return [*samples, given_late] if delays else samples


def of_file(data: DataFile, options: DeliveryOptions) -> list[Sample]:
    """Lead time, share late, days late given late."""
    taken, _, late = _days(data)
    return _samples(taken, late, bool(late.any()))


def of_market(market: Market, data: DataFile, options: DeliveryOptions) -> list[Sample]:
    """The same of the first supplier's deliveries."""
    assert isinstance(market, Procurement)
    tables = [_table(market, seat) for seat in market.seats]
    states, measures = play_rounds(market, tables)
    dealt = measures[:, 0, WIN] == 1.0
    days = np.array(market.config.days, np.float64)
    lead = days[states[dealt, SUPPLIERS + LEAD].astype(np.int64)]
    # Late beyond the promise, which is the lead time that the supplier knows.
    late = measures[dealt, 0, LATE_DAYS]
    return _samples(lead + late, late, market.config.delays is not None)


def _table(market: Procurement, seat: Seat) -> PolicyTable:
    """The policy by which a seat plays, float64 `[O, A]`."""
    if seat.role.name == "supplier":
        return Scripted(ScriptedConfig(rule="truthful"), market, seat).table()
    first, count = seat.role.legal.T.astype(np.int64)
    buys = seat.role.encode_action(response="accept supplier_0")
    can_buy = (first <= buys) & (buys < first + count)
    return deterministic(seat.role, np.where(can_buy, buys, first))


FIT = MarketFit(
    columns=COLUMNS,
    options=DeliveryOptions,
    question="What do suppliers promise where deliveries take as long as in {file}?",
    fit=fit,
    of_file=of_file,
    of_market=of_market,
)
