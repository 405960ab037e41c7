"""A market with other observations: a copy with other kernels, and more numbers that they read."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.envs.analysis import Analysis
from tacit.envs.errors import ConfigError
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market, Role, Seat
from tacit.envs.types import Floats, Ints

TEMPLATE = "tacit.envs.shown.shown_loop"
TAIL = 4  # the last numbers of a kernel's params: FIRST, SEATS, WIDTH, ROUNDS (`shown_loop`)
VIEW = "view"  # the attribute of such a market that holds its `View`

Parts = Mapping[str, Collection[str]]  # names of observation parts, by name of the seat


class View(NamedTuple):
    """How what a market shows differs from what the market that it was made of shows.

    Attributes:
        market: the one that it was made of.
        hidden: names of the parts that differ, by seat.
        rounds: how many rounds older they are; 0: they are constants.
    """

    market: Market
    hidden: Parts
    rounds: int


def view_of(market: Market) -> View:
    """The view of a market; of one that `shown_market` did not make: itself, nothing hidden."""
    found = vars(market).get(VIEW)
    return found if isinstance(found, View) else View(market, {}, 0)


class ShownAnalysis(Analysis):
    """A market's `Analysis`, less what is not so where parts of observations are hidden.

    `shown_market` makes a class of it and the market's own analysis, with what is hidden.
    """

    hidden: ClassVar[Parts] = {}
    rounds: ClassVar[int] = 0

    def last_actions(self, seat: Seat, observation: int) -> dict[str, int | None] | None:
        """As the market's own, for seats from which nothing is hidden; None for all others."""
        return None if self.hidden.get(seat.name) else super().last_actions(seat, observation)

    def expected(self) -> Market:
        """The market's own expected form, with the same parts hidden."""
        if not hasattr(self, "_expected"):
            own = super().expected()
            # A market may make its expected form by copying itself: then the parts are hidden.
            is_shown = view_of(own).market is not own
            self._expected = own if is_shown else shown_market(own, self.hidden, self.rounds)
        return self._expected


def shown_market(market: Market, hidden: Parts, rounds: int = 0) -> Market:
    """The same market, in which parts of what seats see are constants, or as they were earlier.

    Args:
        market: one that this function has not made.
        hidden: names of parts, by seat.
        rounds: how many rounds older the parts are; 0: they always have their first value.

    Returns:
        A market of the same class, config, seats, observations, actions and measures. Observations
        that differ in hidden parts alone are shown as one; with `rounds` the state is wider.

    Raises:
        ConfigError: older parts in a market in which seats see different parts at times.
    """
    if rounds and any(len(role.blocks) > 1 for role in market.roles):
        raise ConfigError(
            "data can be made older only where every seat sees the same parts at each decision, "
            f"in a market of one phase; {market.name} is none here."
        )
    other = copy.copy(market)
    vars(other).pop("analysis", None)  # it describes the market that was copied
    changed: dict[str, Any] = {
        "kernels": compiled(TEMPLATE, market.kernels).__name__,
        "view_params": _view_params(market, hidden, rounds),
        "state_width": market.state_width + rounds * len(market.seats),
        VIEW: View(market, dict(hidden), rounds),
    }
    if market.analysis_class is not None:
        own = {"hidden": dict(hidden), "rounds": rounds}
        bases = (ShownAnalysis, market.analysis_class)
        changed["analysis_class"] = type("ShownAnalysis", bases, own)
    vars(other).update(changed)
    return other


def carried_over(market: Market, state: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The saved state of a group, for a group that goes on in a market that shows other things.

    Args:
        market: in which the group goes on; made by `shown_market`, or not.
        state: of a group, between two rounds, in a market with the same rules that may show seats
            other things.

    Returns:
        The same with this market's `rows.state`, float64 `[N, W + S * ROUNDS]`, and
        `rows.observations`, int64 `[N, S]`. What seats would have seen in earlier rounds is taken
        over where it holds as many rounds; else it is what they see now.
    """
    seats = len(market.seats)
    rounds, params = view_of(market).rounds, market.kernel_params
    width = market.state_width - rounds * seats
    rows = np.asarray(state["rows.state"])
    own, earlier = rows[:, :width], rows[:, width:]  # the market's own state; what was kept behind
    kernels = import_module(market.kernels)
    observe = getattr(kernels, "market_observe", kernels.observe)
    seen = [[observe(params, row, 0, s) for s in range(seats)] for row in own]
    if earlier.shape[1] != rounds * seats:
        earlier = np.repeat(np.array(seen, np.float64), rounds, axis=1)
    wide = np.concatenate([own, earlier], axis=1)
    shown = [[kernels.observe(params, row, 0, s) for s in range(seats)] for row in wide]
    return {**state, "rows.state": wide, "rows.observations": np.array(shown, np.int64)}


def _view_params(market: Market, hidden: Parts, rounds: int) -> Floats:
    """What `shown_loop` reads behind the market's params, float64 `[.]`, laid out as it says."""
    tables = [_kept_and_added(seat.role, hidden.get(seat.name, ())) for seat in market.seats]
    if not rounds:
        for table in tables:
            table[:, 1] = 0  # hidden parts keep their first value
    seats = len(market.seats)
    # Behind a table lie the tables of later seats, and the tail.
    before_end = TAIL + np.cumsum([table.size for table in tables][::-1])[::-1]
    numbers = [before_end, *(table.ravel() for table in tables)]
    tail = [before_end[0] + seats, seats, market.state_width, rounds]
    return np.concatenate([*numbers, tail]).astype(np.float64)


def _kept_and_added(role: Role, hidden: Collection[str]) -> Ints:
    """KEPT and ADDED of every observation of a role, int64 `[O, 2]` (see `shown_loop`)."""
    pairs, start = [], 0
    for block in role.blocks:
        # Within a block, an index is a number whose digits are the parts, the highest first.
        index = np.arange(block.size)
        added, step = np.zeros_like(index), block.size
        for part in block.sees:
            step //= len(part.values)
            if part.name in hidden:
                added += index // step % len(part.values) * step
        pairs.append(np.stack([start + index - added, added], axis=1))
        start += block.size
    return np.concatenate(pairs).astype(np.int64)
