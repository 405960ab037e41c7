"""Many copies of a market seen from one seat, or from all seats of a role, in their own time.

    seats = SeatBatch(market, "bidder_0", tables={"bidder_1": table}, copies=16_384)
    seats.reset(seed=0)
    seats.step(actions)        # int64 [N, K]: one own decision of every copy
    seats.rewards              # float64 [N, K], summed up to the next own decision

This is what the Gymnasium and SB3 faces stand on (`seat.py`, `seat_vector.py`, `seat_sb3.py`).
Whoever is not named plays a frozen policy table, uniformly at random if none is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete
from numpy.typing import NDArray

from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.engine.game_arrays import build_game, build_rows
from tacit.envs.engine.policy_tables import by_seat, cumulative
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market, Role, Seat

TEMPLATE = "tacit.envs.views.seat_batch_loop"
PATIENCE = 10_000  # rounds in which a seat must meet a decision

EPISODE, ROUND, PHASE = range(3)  # columns of Steps.clocks
NATURE_KEYS, ACTION_KEYS, LOOKAHEAD_KEYS = range(3)  # rows of keys


class Steps(NamedTuple):
    """What the last step of every copy brought.

    clocks int64 `[N, 3]`: when the coming decision falls; measures float64 `[N, S + 1, M]` and
    scores `[N, T + S]` (terms, then rewards): sums over the `rounds` int64 `[N]` that ended in it;
    ended uint8 `[N]`: whether its episode did; final int64 `[N, S]`: what was seen there.
    """

    clocks: NDArray[np.int64]
    measures: NDArray[np.float64]
    scores: NDArray[np.float64]
    rounds: NDArray[np.int64]
    ended: NDArray[np.uint8]
    final: NDArray[np.int64]


class DigitEncoder:
    """`Role.observation_digits` for many observations at once."""

    def __init__(self, role: Role) -> None:
        parts = role.observation_parts
        self.starts = np.array([role.block_start(k) for k in range(len(role.blocks))])
        shape = (len(role.blocks), len(parts))
        self.base, self.size = np.ones(shape, np.int64), np.ones(shape, np.int64)
        self.given = np.zeros(shape, np.int64)
        for k, block in enumerate(role.blocks):
            self.given[k, 0] = parts[0].values.index(block.phase)
            for part, value in block.given:
                self.given[k, parts.index(part)] = part.index(value)
            base = 1
            for part in reversed(block.sees):
                column, count = parts.index(part), len(part.values)
                self.base[k, column], self.size[k, column] = base, count
                base *= count

    def __call__(self, observations: NDArray[np.int64]) -> NDArray[np.int64]:
        """Observations int64 `[N]` as digits `[N, parts]`."""
        block = np.searchsorted(self.starts, observations, side="right") - 1
        rest = (observations - self.starts[block])[:, None]
        digits: NDArray[np.int64] = rest // self.base[block] % self.size[block] + self.given[block]
        return digits


def find_seats(market: Market, name: str) -> list[Seat]:
    """The seat of this name, or all seats of the role of this name."""
    found = [seat for seat in market.seats if name in (seat.name, seat.role.name)]
    if not found:
        known = {s.name for s in market.seats} | {s.role.name for s in market.seats}
        raise ConfigError(f"seat: unknown seat or role '{name}'. {nearest(name, known)}")
    return found


class SeatBatch:
    """N = `copies` copies of a market, stepped from decision to decision of K own seats.

    A step is one decision (at least two legal actions) of an own seat in each copy; where several
    own seats share a market, those without a choice at that moment do the only thing they can.
    Episodes end after `episode_rounds` rounds (None: never), and the next begins in the same step:
    copies run on clocks of their own. Row r is copy `first_copy + r` of the seed; what happens in
    it does not depend on the other rows.
    """

    def __init__(
        self,
        market: Market,
        seat: str,
        kpi: Mapping[str, Any] | None = None,
        tables: Mapping[str, Any] | None = None,
        copies: int = 1,
        episode_rounds: int | None = 100,
        first_copy: int = 0,
    ) -> None:
        if copies < 1:
            raise ValueError(f"at least one copy is needed, got {copies}")
        if first_copy < 0:
            raise ValueError(f"a copy's number must be >= 0, got {first_copy}")
        if episode_rounds is not None and episode_rounds < 1:
            raise ValueError(f"episode_rounds must be at least 1 or None, got {episode_rounds}")
        self.market, self.own = market, find_seats(market, seat)
        self.role = self.own[0].role
        self.columns = [each.index for each in self.own]
        self.table = kpis.resolve(market, kpi)
        self.game = build_game(market, self.table)
        self.rows = build_rows(market, self.game, copies)
        self.loops = compiled(TEMPLATE, market.kernels)
        self.cumulative = cumulative(market, by_seat(market, tables))[None]
        self.copies, self.first_copy = copies, first_copy
        self.episode_rounds = episode_rounds
        self.digits = DigitEncoder(self.role)
        self.measures = {m.name: market.columns[m.name] for m in market.measured(self.role.name)}
        self.terms = [self._terms(each) for each in self.own]
        self.masks_by_block = np.array([self.role.mask(o) for o in self.digits.starts])
        self._is_own = np.zeros(len(market.seats), np.int64)
        self._is_own[self.columns] = 1
        self._chosen = np.zeros_like(self.rows.actions)
        self.masked = np.full((copies, len(self.own)), -1, np.int64)
        self.steps = Steps(
            np.full((copies, 3), -1, np.int64),
            np.zeros_like(self.rows.measures),
            np.zeros_like(self.rows.scores),
            np.zeros(copies, np.int64),
            np.zeros(copies, np.uint8),
            np.zeros_like(self.rows.observations),
        )
        self.reseed(0)

    def _terms(self, seat: Seat) -> dict[str, int]:
        """Columns of `Steps.scores` with a seat's KPI terms, by their names."""
        first = sum(len(self.table[s.name]) for s in self.market.seats[: seat.index])
        return {name: first + k for k, name in enumerate(self.table[seat.name])}

    @property
    def observation_space(self) -> MultiDiscrete:
        """One digit for the phase and one for every part that the role ever sees."""
        return MultiDiscrete([len(part.values) for part in self.role.observation_parts])

    @property
    def action_space(self) -> Discrete:
        """The columns of the policy table."""
        return Discrete(self.role.actions)

    def reseed(self, seed: int) -> None:
        """The next reset begins episode 0 of this seed."""
        if seed < 0:
            raise ValueError(f"a seed must be >= 0, got {seed}")
        streams = (rng.NATURE, rng.ACTION, rng.LOOKAHEAD)
        count = self.first_copy + self.copies
        keys = [rng.copy_keys([seed], count, which)[self.first_copy :] for which in streams]
        self.keys = np.stack(keys)
        self.steps.clocks[:, EPISODE] = -1

    def reset(self, seed: int | None = None) -> None:
        """Begin the next episode of every copy; a seed begins its episodes from 0."""
        if seed is not None:
            self.reseed(seed)
        self.masked[:] = -1
        self._run(starts=True)

    def forget(self) -> None:
        """Clear what the last step brought: a new episode has no past."""
        self.masked[:] = -1
        for array in (self.steps.measures, self.steps.scores, self.steps.rounds, self.steps.ended):
            array[:] = 0

    def step(self, actions: NDArray[Any]) -> None:
        """One own decision of every copy, `actions` integers `[N, K]`.

        An illegal action becomes the first legal one and stands in `masked` (else -1).

        Raises:
            ValueError: an action outside the space; nothing has moved.
        """
        if self.steps.clocks[0, EPISODE] < 0:
            raise ValueError("call reset() before step()")
        given = np.asarray(actions)
        if given.shape != self.masked.shape or given.dtype.kind not in "iu":
            raise ValueError(
                f"actions must be integers of shape {self.masked.shape}, got {given.dtype} "
                f"{given.shape}"
            )
        outside = (given < 0) | (given >= self.role.actions)
        if outside.any():
            raise ValueError(
                f"action {given[outside][0]} of a {self.role.name} is outside its space "
                f"0 .. {self.role.actions - 1}"
            )
        legal = self.role.legal[self.observations]
        first, count = legal[..., 0], legal[..., 1]
        illegal = (given < first) | (given >= first + count)
        self.masked[:] = np.where(illegal, given, -1)
        self._chosen[:, self.columns] = np.where(illegal, first, given)
        self._run(starts=False)

    def _run(self, starts: bool) -> None:
        lost = self.loops.to_next_decision(
            self.game, self.rows, self.keys, self.cumulative, self.steps, self._is_own,
            self._chosen, starts, self.episode_rounds or 0, PATIENCE,
        )  # fmt: skip
        if lost:
            names = " or ".join(seat.name for seat in self.own)
            raise ConfigError(
                f"tables: {names} met no decision in {PATIENCE:,} rounds (copy "
                f"{self.first_copy + lost - 1}): the others' tables leave it none."
            )

    @property
    def observations(self) -> NDArray[np.int64]:
        """What own seats see now, int64 `[N, K]` indices."""
        return self.rows.observations[:, self.columns]

    @property
    def finals(self) -> NDArray[np.int64]:
        """What they would have decided on behind the end of an `ended` episode, `[N, K]`."""
        return self.steps.final[:, self.columns]

    @property
    def rewards(self) -> NDArray[np.float64]:
        """Own seats' KPI, summed over the step, float64 `[N, K]`."""
        return self.steps.scores[:, [len(self.game.terms) + c for c in self.columns]]

    @property
    def ended(self) -> NDArray[np.bool_]:
        """Whether a copy's episode ended in the step (by truncation), bool `[N]`."""
        return self.steps.ended.astype(np.bool_)

    def masks(self, observations: NDArray[np.int64]) -> NDArray[np.int8]:
        """Legal actions of observations `[N]`, int8 `[N, A]`."""
        block = np.searchsorted(self.digits.starts, observations, side="right") - 1
        masks: NDArray[np.int8] = self.masks_by_block[block]
        return masks

    def info(self, r: int, k: int) -> dict[str, Any]:
        """Copy r's step as own seat k may know it: sums of its measures and KPI terms over the
        `rounds` that ended in it; a `masked_action`, if it did one.
        """
        steps = self.steps
        measures, scores = steps.measures[r, self.columns[k]].tolist(), steps.scores[r].tolist()
        info: dict[str, Any] = {
            "measures": {name: measures[column] for name, column in self.measures.items()},
            "kpi": {name: scores[column] for name, column in self.terms[k].items()},
            "rounds": int(steps.rounds[r]),
        }
        if self.masked[r, k] >= 0:
            info["masked_action"] = int(self.masked[r, k])
        return info
