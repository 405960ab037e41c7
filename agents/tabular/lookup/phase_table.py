"""Phase tables: rounds of a market of several phases by what is done and drawn in each.

A phase is a function of the state before it, of the measures that the round has so far, of what
the acting seats do, and of the lot that nature draws (`Market.play_lots`). State and measures
together are a *node*; a node with a joint action and a lot is a *cell* (`arrays.PhaseArrays`). All
nodes that play can lead to are found by playing every cell of every node found so far. A cell leads
to a node of the next phase, and a cell of the last phase to one of the first phase, where all
measures are 0 again. So the measures of a whole round are those of its last cell, added up by the
kernels themselves: what is looked up has the bits of what is played.

Seats that do not act in a phase have no part in its cells: rules ignore their entries of `actions`
(`tacit.envs.market`). A market whose rules do not is found out, because every cell is played with
two sets of such entries, and gets no table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.agents.tabular.arrays import COLUMNS_AT_ONCE
from tacit.envs import kpi as kpis
from tacit.envs.engine.engine import TEMPLATE as ENGINE_TEMPLATE
from tacit.envs.engine.game_arrays import FIRST_ROW, CopyRows, build_game, build_rows
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market
from tacit.envs.types import Floats, Ints

from .arrays import PhaseArrays
from .figure_columns import FigureColumns, distinct_columns
from .lots import count_lots, lot_arrays, lot_keys, lots_by_phase
from .shared_tables import MOST_CELLS, shared_table

MOST_NUMBERS = 2**22  # of state and measures of all nodes; of figures of all kinds of rounds
BATCH = 2**12  # cells played at once
ROUNDS_A_CELL = 4  # that the kernels play in the time in which a cell is made


class PhaseTable(NamedTuple):
    """`PhaseArrays`, and which states of the market its nodes of the first phase mean.

    Attributes:
        states: rows of market state by node of the first phase, float64 `[n, W]`.
        numbers: such a node's number, by the bytes of its row.
        arrays: what a compiled loop reads.
        columns: the columns of `arrays.figures` in which figures stand.
    """

    states: Floats
    numbers: dict[bytes, int]
    arrays: PhaseArrays
    columns: FigureColumns

    @property
    def cells(self) -> int:
        """Joint actions and lots of all nodes."""
        return len(self.arrays.next_node)

    def holds(self, state: Floats) -> bool:
        """Whether rounds from this row of state, float64 `[W]`, can be looked up."""
        return state.tobytes() in self.numbers


def allows_phase_lookup(market: Market) -> bool:
    """Whether the market has several phases, and all draws of `play` are declared."""
    return len(market.phases) > 1 and market.play_lots is not None


def phase_table_for(
    market: Market, kpi: kpis.KpiTable, rows: CopyRows, rounds: int, wait: bool = False
) -> PhaseTable | None:
    """A table that holds the state of copy 0, or None where it is not worth it: `shared_table`."""
    least = _cells(market, 1, min)
    return shared_table(market, kpi, rows, rounds, wait, least, ROUNDS_A_CELL, _make)


def estimated_cells(market: Market) -> int:
    """About how many cells the table of a market of several phases has.

    The first phase has as many nodes as the seats that act there can observe together, and no two
    joint actions of a phase lead to the same node.
    """
    roles = [seat.role for seat in market.seats if market.acts(seat, 0)]
    seen = prod(sum(b.size for b in role.blocks if b.phase == 0) for role in roles)
    return _cells(market, seen, max)


def _cells(market: Market, nodes: int, among: Callable[[Iterable[int]], int]) -> int:
    """Cells of all phases, if the first one has so many nodes; where a seat may have more or fewer
    actions in a phase, `among` picks one number of them."""
    cells = 0
    for phase, lots in enumerate(lots_by_phase(market)):
        for role in (seat.role for seat in market.seats):
            own = [k for k, block in enumerate(role.blocks) if block.phase == phase]
            nodes *= among([int(role.legal[role.block_start(k), 1]) for k in own] or [1])
        cells += nodes * count_lots(lots)
    return cells


def _make(
    market: Market, kpi: kpis.KpiTable, rows: CopyRows, limit: int
) -> tuple[int, PhaseTable | None]:
    """How many cells the table has, and the table unless they are more than `limit`."""
    lots = lots_by_phase(market)
    keys = [lot_keys(own, phase) for phase, own in enumerate(lots)]
    if any(own is None for own in keys):
        return MOST_CELLS + 1, None
    enumeration = _Enumeration(market, kpi, rows, [own for own in keys if own is not None])
    cells = enumeration.explore(limit)
    return cells, enumeration.table() if cells <= limit else None


# --- how a table is made -------------------------------------------------------------------------


class _Nodes:
    """Nodes of one phase, in the order in which they were found.

    Attributes:
        rows: market state, and behind it the measures of the round so far (in the first phase
            none), float64 `[n, W]` or `[n, W + (S + 1) M]`.
        observations: what each seat observes there, int64 `[n, S]`.
        first_cell: the first cell of each, and the end of the last one's, int64 `[n + 1]`.
        numbers: a node's number, by the bytes of its row.
        next_node, kinds: of every cell played so far, int32 `[.]` in pieces.
        played: how many cells have been played.
    """

    def __init__(self, width: int, seats: int) -> None:
        self.rows, self.observations = np.zeros((0, width)), np.zeros((0, seats), np.int64)
        self.first_cell = np.zeros(1, np.int64)
        self.numbers: dict[bytes, int] = {}
        self.next_node: list[NDArray[np.int32]] = []
        self.kinds: list[NDArray[np.int32]] = []
        self.played = 0

    @property
    def cells(self) -> int:
        """Cells of all nodes found so far."""
        return int(self.first_cell[-1])

    def number(self, rows: Floats) -> tuple[NDArray[np.int32], Ints]:
        """The number of each of `rows`; and which of them are the first of their kind."""
        found, fresh = _numbered(rows, self.numbers)
        self.rows = np.concatenate([self.rows, rows[fresh]])
        return found, fresh

    def add(self, observations: Ints, widths: Ints) -> None:
        """What seats observe in nodes just found, and how many cells each has."""
        self.observations = np.concatenate([self.observations, observations])
        self.first_cell = np.concatenate([self.first_cell, self.cells + np.cumsum(widths)])


class _Enumeration:
    """Plays the cells of all phases by turns, until no new node is found.

    Attributes:
        keys: for each phase a key for each of its lots, uint64 `[L]`.
        acting: the seats that act in each phase.
        sizes: each seat's number of actions, int64 `[S]`.
        nodes: of each phase.
        kinds: the number of every kind of round, by the bytes of its figures.
        kind_figures: these figures, float64 `[R, F]`.
    """

    def __init__(
        self,
        market: Market,
        kpi: kpis.KpiTable,
        rows: CopyRows,
        keys: list[NDArray[np.uint64]],
    ) -> None:
        self.market, self.game, self.keys = market, build_game(market, kpi), keys
        self.step = compiled(ENGINE_TEMPLATE, market.kernels).step
        self.acting = [np.flatnonzero(acts).tolist() for acts in self.game.acts]
        self.sizes = np.array([seat.role.actions for seat in market.seats])
        width, seats = rows.state.shape[1], len(market.seats)
        widths = [width, *[width + rows.measures[0].size] * (len(keys) - 1)]
        self.nodes = [_Nodes(own, seats) for own in widths]
        self.kinds: dict[bytes, int] = {}
        self.kind_figures = np.zeros((0, rows.measures[0].size + rows.scores[0].size))
        self._find(0, rows.state[:1], rows.observations[:1])

    @property
    def cells(self) -> int:
        """Cells of all nodes found so far."""
        return sum(each.cells for each in self.nodes)

    def explore(self, limit: int) -> int:
        """Find all nodes; returns the number of cells, or some number above `limit`."""
        while any(each.played < each.cells for each in self.nodes):
            for phase, each in enumerate(self.nodes):
                while each.played < each.cells:
                    if self.cells > limit:
                        return self.cells
                    numbers = self.kind_figures.size + sum(own.rows.size for own in self.nodes)
                    if numbers > MOST_NUMBERS or not self._play(phase):
                        return MOST_CELLS + 1  # so that nobody asks again
        return self.cells

    def legal(self, phase: int, observations: Ints) -> Ints:
        """The first action of each acting seat, and how many it has, int64 `[n, seats, 2]`."""
        first_rows = self.game.per_seat[self.acting[phase], FIRST_ROW]
        found: Ints = self.game.legal[first_rows + observations[:, self.acting[phase]]]
        return found.astype(np.int64)

    def _play(self, phase: int) -> bool:
        """Play the next batch of a phase's cells and number what they lead to.

        Returns:
            Whether what seats did that do not act made no difference.
        """
        nodes, lots = self.nodes[phase], len(self.keys[phase])
        cells = np.arange(nodes.played, min(nodes.played + BATCH, nodes.cells))
        node = np.searchsorted(nodes.first_cell, cells, side="right") - 1
        joint, lot = np.divmod(cells - nodes.first_cell[node], lots)
        rows = build_rows(self.market, self.game, len(cells))
        width = rows.state.shape[1]
        rows.state[:] = nodes.rows[node, :width]
        rows.measures.reshape(len(cells), -1)[:] = nodes.rows[node, width:] if phase else 0.0
        twin = rows.copy()
        twin.actions[:] = cells[:, None] % self.sizes  # of seats that do not act, whatever it is
        legal = self.legal(phase, nodes.observations[node])
        for k in reversed(range(len(self.acting[phase]))):
            joint, digit = np.divmod(joint, legal[:, k, 1])
            rows.actions[:, self.acting[phase][k]] = legal[:, k, 0] + digit
            twin.actions[:, self.acting[phase][k]] = legal[:, k, 0] + digit
        for each in (rows, twin):
            self.step(self.game, self.keys[phase][lot], each, 0, 0, phase)
        twin.actions[:] = rows.actions
        if not _same_rows(rows, twin):
            return False
        measures = rows.measures.reshape(len(cells), -1)
        last = phase == len(self.nodes) - 1
        after = rows.state if last else np.hstack([rows.state, measures])
        nodes.next_node.append(self._find(0 if last else phase + 1, after, rows.observations))
        nodes.kinds.append(self._kinds(measures, rows.scores) if last else np.zeros(0, np.int32))
        nodes.played += len(cells)
        return True

    def _find(self, phase: int, rows: Floats, observations: Ints) -> NDArray[np.int32]:
        """The numbers of nodes in a phase; new ones are added."""
        nodes = self.nodes[phase]
        numbers, fresh = nodes.number(np.ascontiguousarray(rows))
        joints = self.legal(phase, observations[fresh])[:, :, 1].prod(axis=1, dtype=np.float64)
        widths = np.minimum(joints * len(self.keys[phase]), 2.0 * MOST_CELLS)
        nodes.add(observations[fresh], widths.astype(np.int64))
        return numbers

    def _kinds(self, measures: Floats, scores: Floats) -> NDArray[np.int32]:
        """The numbers of kinds of rounds by their figures; new ones are added."""
        figures = np.hstack([measures, scores])
        numbers, fresh = _numbered(figures, self.kinds)
        self.kind_figures = np.concatenate([self.kind_figures, figures[fresh]])
        return numbers

    def table(self) -> PhaseTable:
        """What was found, as a table: nodes and cells of all phases end to end."""
        seats, first = len(self.market.seats), self.nodes[0]
        begin = np.cumsum([0, *(len(each.rows) for each in self.nodes)])
        cells = np.cumsum([0, *(each.cells for each in self.nodes)])
        following = [*begin[1:-1], 0]
        used = np.flatnonzero(self.kind_figures.any(axis=0))
        figures, places = distinct_columns(self.kind_figures[:, used], COLUMNS_AT_ONCE)
        column_of = np.full(self.kind_figures.shape[1], -1)
        column_of[used] = places
        lots = lots_by_phase(self.market)
        drawn = lot_arrays([lot for own in lots for lot in own])
        next_node = [np.concatenate(each.next_node) for each in self.nodes]
        kinds = np.zeros(cells[-1], np.int32)
        kinds[cells[-2] :] = np.concatenate(self.nodes[-1].kinds)
        arrays = PhaseArrays(
            observations=np.concatenate([n.observations for n in self.nodes]).astype(np.int32),
            first_cell=np.concatenate(
                [each.first_cell[:-1] + at for each, at in zip(self.nodes, cells, strict=False)]
            ),
            next_node=np.concatenate(
                [own + at for own, at in zip(next_node, following, strict=True)]
            ).astype(np.int32),
            kinds=kinds,
            rewards=np.ascontiguousarray(self.kind_figures[:, -seats:]),
            figures=figures,
            deciders=np.concatenate(self.acting).astype(np.int64),
            first_decider=np.cumsum([0, *map(len, self.acting)]),
            first_lot=np.cumsum([0, *map(len, lots)]),
            lot_counts=np.array([count_lots(own) for own in lots], np.int64),
            lot_slots=drawn.slots,
            lot_edges=drawn.edges,
            outcomes=drawn.counts,
        )
        for array in arrays:
            array.flags.writeable = False
        columns = FigureColumns(column_of, len(figures) * COLUMNS_AT_ONCE)
        return PhaseTable(first.rows, first.numbers, arrays, columns)


def _same_rows(one: CopyRows, two: CopyRows) -> bool:
    """Whether two sets of rows have the same bits."""
    return all(own.tobytes() == other.tobytes() for own, other in zip(one, two, strict=True))


def _numbered(rows: Floats, known: dict[bytes, int]) -> tuple[NDArray[np.int32], Ints]:
    """Numbers of rows `[n, K]` by their bytes, int32 `[n]`, and which rows are new, int64 `[.]`.

    By bytes, so that 0.0 and -0.0 differ: sums must be the same to the bit.
    """
    data, width = rows.tobytes(), rows.shape[1] * rows.itemsize
    numbers = np.zeros(len(rows), np.int32)
    fresh: list[int] = []
    for i in range(len(rows)):
        count = len(known)
        numbers[i] = known.setdefault(data[i * width : (i + 1) * width], count)
        if len(known) > count:
            fresh.append(i)
    return numbers, np.array(fresh, np.int64)
