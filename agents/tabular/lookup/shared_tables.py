"""Tables that the groups of one market and KPI share, and when one is worth making.

Seeds are threads of one process. They make one table at a time: while it is made, it may need half
a GiB.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

from tacit.envs import kpi as kpis
from tacit.envs.engine.game_arrays import CopyRows
from tacit.envs.market import Market
from tacit.envs.types import Floats

MOST_CELLS = 2**20  # (state, joint action, lot) that a table may have


class LookupTable(Protocol):
    """What is looked up instead of played."""

    def holds(self, state: Floats) -> bool:
        """Whether rounds from this row of state, float64 `[W]`, can be looked up."""


Table = TypeVar("Table", bound=LookupTable)
Make = Callable[[Market, kpis.KpiTable, CopyRows, int], "tuple[int, Table | None]"]


@dataclass
class _Shared:
    """What groups of one market and KPI share.

    Attributes:
        table: the last table that was made, if any.
        asked_rounds: rounds that all groups together wanted to look up so far.
        cells: cells that a table has, as far as they were counted.
    """

    table: Any = None
    asked_rounds: int = 0
    cells: int = 0


_SHARED: WeakKeyDictionary[Market, dict[str, _Shared]] = WeakKeyDictionary()
_COUNTING, _ENUMERATING = threading.Lock(), threading.Lock()


def shared_table(
    market: Market,
    kpi: kpis.KpiTable,
    rows: CopyRows,
    rounds: int,
    wait: bool,
    least_cells: int,
    rounds_a_cell: int,
    make: Make[Table],
) -> Table | None:
    """A table that holds the state of copy 0, which is about to play so many rounds.

    Args:
        market: whose rounds are looked up.
        kpi: by which they are scored.
        rows: copies of the market; the first one's state is looked for.
        rounds: that the caller is about to play.
        wait: where another thread makes a table, wait until it is done.
        least_cells: how many cells the table has at least.
        rounds_a_cell: how many rounds could be played in the time in which a cell is made.
        make: makes a table from market, KPI, rows and the most cells that are worth it; returns how
            many cells were counted, and the table if they are no more.

    Returns:
        None if there are more than MOST_CELLS cells, or more than are worth the rounds that all
        groups of this market and KPI together have asked for. Without `wait` also while another
        thread makes any table: the kernels play these rounds meanwhile.
    """
    with _COUNTING:
        shared = _SHARED.setdefault(market, {}).setdefault(kpis.kpi_hash(kpi), _Shared())
        shared.asked_rounds += rounds
        shared.cells = max(shared.cells, least_cells)

    def limit() -> int:
        return min(shared.asked_rounds // rounds_a_cell, MOST_CELLS)

    found: Table | None = _made(shared, rows)
    if found or shared.cells > limit():
        return found
    if not _ENUMERATING.acquire(blocking=wait):
        return None
    try:
        # Another thread may have made it, or counted more cells, since this one looked.
        found = _made(shared, rows)
        if found or shared.cells > limit():
            return found
        shared.cells, table = make(market, kpi, rows, limit())
        shared.table = table
        return table
    finally:
        _ENUMERATING.release()


def last_table(market: Market, kpi: kpis.KpiTable) -> Any:
    """The table of this market and KPI that was made last, a `LookupTable`; None: none was."""
    with _COUNTING:
        shared = _SHARED.get(market, {}).get(kpis.kpi_hash(kpi))
    return shared.table if shared else None


def _made(shared: _Shared, rows: CopyRows) -> Any:
    """The table that was made last, if it holds the state of copy 0."""
    table = shared.table
    return table if table is not None and table.holds(rows.state[0]) else None
