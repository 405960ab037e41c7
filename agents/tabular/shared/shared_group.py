"""A group in which the Q-learners of a vendor's seats share weights, data or draws.

Its rounds are played by the market's kernels: it looks nothing up in transition tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from tacit.agents.tabular.group import TabularGroup
from tacit.agents.tabular.initial_q import initial_q
from tacit.agents.tabular.recording import Recording
from tacit.agents.vendor import DATA, RANDOM_STREAM, WEIGHTS, Vendor, Vendors
from tacit.envs import kpi as kpis
from tacit.envs.engine.game_arrays import FIRST_ROW
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market, Seat
from tacit.envs.market.own_first import as_seen_from

from .arrays import SharingArrays

TEMPLATE = "tacit.agents.tabular.shared.shared_loop"
# What is known of a table: by cell, and twice by row.
LEARNED = ("q_arrays.q", "q_arrays.greedy", "q_arrays.runner_up")


class SharedGroup(TabularGroup):
    """A `tacit.agents.group.Group` of vendors' seats and others.

    Every seat has a table of its own in the order of the market's observations. Those of a vendor
    that shares weights begin equal, but for that order, and stay so: all get all updates. So states
    have the shapes of a `TabularGroup`'s, and a seat that is separated later goes on with its copy.

    Attributes:
        vendors: which seats share what.
        sharing: the same as arrays.
    """

    def __init__(
        self,
        market: Market,
        kpi: kpis.KpiTable,
        configs: Mapping[str, BaseModel],
        seed: int,
        vendors: Vendors,
        copies: int = 1,
        episode_rounds: int | None = None,
    ) -> None:
        """Put learners and tables into their seats; arguments as those of `TabularGroup`.

        Raises:
            ConfigError: an agent that cannot play this market, or cannot share.
        """
        super().__init__(market, kpi, configs, seed, copies, episode_rounds)
        self.vendors, self.sharing = vendors, build_sharing(market, vendors)
        self.can_look_up = False
        self._sharing_loops = compiled(TEMPLATE, market.kernels)
        self._share_first_values(kpi, configs, seed)

    def _share_first_values(
        self, kpi: kpis.KpiTable, configs: Mapping[str, BaseModel], seed: int
    ) -> None:
        """Put the first Q values of a vendor's first seat into its other seats."""
        state, market = self.seed_state, self.market
        for vendor in self.vendors:
            first = market.seat(vendor.seats[0])
            for name in vendor.seats[1:]:
                seat = market.seat(name)
                if WEIGHTS in vendor.share:
                    _copy_table(self, state.arrays(), vendor, first, seat)
                elif RANDOM_STREAM in vendor.share and isinstance(
                    getattr(configs[name], "initial_q", None), tuple
                ):
                    drawn = initial_q(market, kpi, first, configs[name], seed)
                    own = drawn.reshape(seat.role.observations, -1)
                    order = as_seen_from(market, seat, first, vendor.seats)
                    cell = state.q_arrays.first_cell[seat.index]
                    state.q_arrays.q[cell : cell + own.size] = own[order].ravel()
        self._loops.begin_training(state.game, state.rows, state.keys, state.q_arrays)

    def _play(self, rounds: int, recording: Recording | None = None) -> int:
        """`run` with the market's kernels."""
        state = self.seed_state
        done: int = self._sharing_loops.learn_sharing(
            state.game, state.rows, state.keys, state.episode_keys, state.q_arrays, self.sharing,
            rounds, self.episode_rounds or 0, self.stop_after, recording,
        )  # fmt: skip
        return done

    def warm_start_from(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Begin training where another group ended; seats of shared weights have one table.

        It is that of the vendor's first seat.

        Raises:
            ValueError: the state does not fit this configuration.
        """
        super().warm_start_from(self._with_one_table(state))

    def branch_from(self, state: Mapping[str, NDArray[Any]], forget: bool = False) -> None:
        """Go on at the round of another group's state; seats of shared weights have one table.

        Raises:
            ValueError: the state does not fit this configuration.
        """
        super().branch_from(state if forget else self._with_one_table(state), forget)

    def _with_one_table(self, state: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """A state in which the seats of vendors that share weights hold the first seat's table."""
        found = dict(state)
        if any(found[name].shape != self.seed_state.arrays()[name].shape for name in LEARNED):
            return found  # `load` says what does not fit
        found |= {name: found[name].copy() for name in LEARNED}
        for vendor in self.vendors:
            if WEIGHTS in vendor.share:
                first = self.market.seat(vendor.seats[0])
                for name in vendor.seats[1:]:
                    _copy_table(self, found, vendor, first, self.market.seat(name))
        return found


def _copy_table(
    group: TabularGroup,
    arrays: Mapping[str, NDArray[Any]],
    vendor: Vendor,
    first: Seat,
    seat: Seat,
) -> None:
    """Write the table of a vendor's first seat into another one's, rows in that one's order."""
    state = group.seed_state
    order = as_seen_from(group.market, seat, first, vendor.seats)
    rows, width = seat.role.observations, seat.role.actions
    for name in LEARNED:
        is_of_cells = name == LEARNED[0]
        size = rows * width if is_of_cells else rows
        one, other = (
            state.q_arrays.first_cell[s.index] if is_of_cells
            else state.game.per_seat[s.index, FIRST_ROW]
            for s in (first, seat)
        )  # fmt: skip
        table = arrays[name][one : one + size].reshape(rows, -1)
        arrays[name][other : other + size] = table[order].ravel()


def build_sharing(market: Market, vendors: Vendors) -> SharingArrays:
    """Who learns from whom, and who draws what.

    Raises:
        ConfigError: seats of a vendor that do not see alike.
    """
    count = len(market.seats)
    most = max(seat.role.observations for seat in market.seats)
    teaches, slots = np.eye(count, dtype=np.int64), np.arange(count, dtype=np.int64)
    seen_by = np.zeros((count, count, most), np.int32)
    seen_by[np.arange(count), np.arange(count)] = np.arange(most)
    for vendor in vendors:
        seats = [market.seat(name) for name in vendor.seats]
        for seat in seats:
            if RANDOM_STREAM in vendor.share:
                slots[seat.index] = seats[0].index
            if WEIGHTS in vendor.share or DATA in vendor.share:
                for other in seats:
                    teaches[seat.index, other.index] = 1
                    index = as_seen_from(market, seat, other, vendor.seats)
                    seen_by[seat.index, other.index, : len(index)] = index
    return SharingArrays(teaches, seen_by, slots)
