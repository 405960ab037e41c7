"""Lead times and delays of orders.

An order is sent, its delivery is scheduled, it is delivered. What the market's supplier knows is
the time from sending to schedule or delivery, whichever comes first; what is delivered after the
schedule was held up by what nobody foresaw. So `lead_times` is fitted to the first, `delays` to the
second, and the lead time that the market shows, from order to delivery, is their sum.

It is played by suppliers that promise what they know and a buyer that always buys from the first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tacit.agents.policy import PolicyTable, deterministic
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market, Seat
from tacit.envs.procurement import Procurement
from tacit.envs.procurement.kernels import LEAD, SUPPLIERS
from tacit.envs.procurement.measures import LATE_DAYS, WIN

from .play import traced
from .samples import (
    SEEN,
    UNSEEN,
    Sample,
    centres,
    rounded,
    whole,
)
from .table import (
    DAY,
    LEAST_ROWS,
    Data,
    Field,
)

FIELDS = (
    Field("sent", "date", "when the order was sent (may be empty in some rows)"),
    Field("scheduled", "date", "when it was to be delivered"),
    Field("delivered", "date", "when it was delivered"),
)
QUESTION = "What do suppliers promise where deliveries take as long as in {file}?"
AGENTS: dict[str, Any] = {}


class Options(BaseModel):
    """Nothing to choose."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _days(data: Data) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Days from sending to delivery and those that were foreseen, of orders delivered later than
    they were sent; days late of all that were scheduled and delivered."""
    sent, scheduled, delivered = (np.floor(data.columns[f.name] / DAY) for f in FIELDS)
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


def fit(data: Data, options: Options) -> dict[str, Any]:
    """`lead_times`, and `delays` if any delivery was late."""
    _, foreseen, late = _days(data)
    keys: dict[str, Any] = {"lead_times": whole(centres(foreseen, SEEN))}
    if late.any():
        days = whole(centres(late[late > 0], UNSEEN), least=1)
        share = rounded(np.array([(late > 0).mean()]), 4)[0]
        keys["delays"] = {"probability": share, "days": days}
    return keys


def _samples(taken: NDArray[np.float64], late: NDArray[np.float64], delays: bool) -> list[Sample]:
    found = [
        Sample("lead time", taken, "days", whole=True),
        Sample("late", (late > 0).astype(np.float64), "of deliveries", share=True),
    ]
    given = Sample("days late given late", late[late > 0], "days", whole=True)
    return [*found, given] if delays else found


def of_file(data: Data, options: Options) -> list[Sample]:
    """Lead time, share late, days late given late."""
    taken, _, late = _days(data)
    return _samples(taken, late, bool(late.any()))


def of_market(market: Market, data: Data, options: Options) -> list[Sample]:
    """The same of the first supplier's deliveries."""
    assert isinstance(market, Procurement)
    tables = [_table(market, seat) for seat in market.seats]
    states, measures = traced(market, tables)
    dealt = measures[:, 0, WIN] == 1.0
    days = np.array(market.config.days, np.float64)
    lead = days[states[dealt, SUPPLIERS + LEAD].astype(np.int64)]
    late = measures[dealt, 0, LATE_DAYS]  # (beyond a promise that is the lead time)
    return _samples(lead + late, late, market.config.delays is not None)


def _table(market: Procurement, seat: Seat) -> PolicyTable:
    if seat.role.name == "supplier":
        return Scripted(ScriptedConfig(rule="truthful"), market, seat).table()
    first, count = seat.role.legal.T.astype(np.int64)
    buys = seat.role.encode_action(response="accept supplier_0")
    can = (first <= buys) & (buys < first + count)
    return deterministic(seat.role, np.where(can, buys, first))
