"""Many copies of a market seen from one seat, or from all seats of a role, decision by decision.

    seats = SeatBatch(market, "bidder_0", tables={"bidder_1": table}, copies=16_384)
    seats.reset(seed=0)
    seats.step(actions)        # int64 [N, K]: one own decision of every copy
    seats.rewards              # float64 [N, K], summed up to the next own decision

The Gymnasium and SB3 environments are built on this. Seats that are not named play frozen policy
tables, uniformly at random if none is given.

Letters: N copies, K own seats, S seats, T KPI terms of all seats, M measures, O observations and A
actions of the own seats' role.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from numpy.typing import NDArray

from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.engine.action_index import as_integers, check_inside
from tacit.envs.engine.game_arrays import build_game, build_rows
from tacit.envs.engine.policy_tables import by_seat, cumulative
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market, Role, Seat
from tacit.envs.types import Bools, Floats, Ints, Masks

from .choices import NOT_MASKED, ObservationForm, arrange_info, check_choices

TEMPLATE = "tacit.envs.views.seat_batch_loop"
MAX_WAIT = 10_000  # rounds in which an own seat must meet a decision, before a step gives up

EPISODE, ROUND, PHASE = range(3)  # columns of Steps.clocks
NATURE_KEYS, ACTION_KEYS, LOOKAHEAD_KEYS = range(3)  # rows of `SeatBatch.keys`


class Steps(NamedTuple):
    """What the last step of every copy brought.

    Attributes:
        clocks: episode, round and phase of the coming decision, int64 `[N, 3]`.
        measures: sums over the rounds that ended in the step, float64 `[N, S + 1, M]`.
        scores: sums of KPI terms, unweighted, then of rewards, float64 `[N, T + S]`.
        rounds: how many rounds ended in the step, int64 `[N]`.
        ended: 1 if the episode did, uint8 `[N]`.
        final: observations behind the end of an episode that ended, int64 `[N, S]`.
    """

    clocks: Ints
    measures: Floats
    scores: Floats
    rounds: Ints
    ended: NDArray[np.uint8]
    final: Ints


class DigitEncoder:
    """`Role.observation_digits` for many observations at once.

    A digit is `(observation - starts[block]) // base % size + given`: base and size are 1 for parts
    that the block does not vary, so that their digit is `given`.

    Attributes:
        starts: the first observation of each block, int64 `[blocks]`.
        base: the product of the sizes of faster digits, int64 `[blocks, parts]`.
        size: the number of values, int64 `[blocks, parts]`.
        given: the phase's digit, and digits that are the same in a whole block, int64
            `[blocks, parts]`.
    """

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

    def __call__(self, observations: Ints) -> Ints:
        """Observations int64 `[N]` as digits int64 `[N, parts]`."""
        block = np.searchsorted(self.starts, observations, side="right") - 1
        rest = (observations - self.starts[block])[:, None]
        digits: Ints = rest // self.base[block] % self.size[block] + self.given[block]
        return digits


def find_seats(market: Market, name: str) -> list[Seat]:
    """The seat of this name, or all seats of the role of this name.

    Raises:
        ConfigError: there is neither; the message names the nearest.
    """
    found = [seat for seat in market.seats if name in (seat.name, seat.role.name)]
    if not found:
        known = {s.name for s in market.seats} | {s.role.name for s in market.seats}
        raise ConfigError(f"seat: unknown seat or role '{name}'. {nearest(name, known)}")
    return found


class SeatBatch:
    """N = `copies` copies of a market, stepped from decision to decision of K own seats.

    A step is one decision (at least two legal actions) of an own seat in each copy. Where several
    own seats share a market, those without a choice at that moment take their only action.
    Episodes end after `episode_rounds` rounds, and the next begins in the same step, so each copy
    has its own clock. Row r is copy `first_copy + r` of the seed; what happens in it does not
    depend on the other rows.

    Attributes:
        market: the market.
        own: the own seats.
        role: their role.
        columns: their indices among all seats.
        table: the resolved KPI table.
        game: the constant arrays (`GameArrays`).
        rows: the arrays that move (`CopyRows`).
        cumulative: the tables of all seats, float64 `[1, sum of O * A]`.
        keys: rows NATURE_KEYS, ACTION_KEYS, LOOKAHEAD_KEYS, uint64 `[3, N]`.
        steps: what the last step brought.
        masked: illegal actions of the last step, NOT_MASKED where legal, int64 `[N, K]`.
        measures: the column of each measure that the role has, by name.
        terms: for each own seat the column of each of its KPI terms in `steps.scores`, by name.
        digits: the encoder of observations.
        form: how they are shown.
        infos: the form of infos.
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
        observation: str = "digits",
        infos: str | None = "nested",
    ) -> None:
        """Make the copies; `reset` begins their first episode.

        Args:
            market: the market.
            seat: a seat's name, or a role's for all its seats.
            kpi: a KPI table by role or seat; None: every role's default.
            tables: policy tables float64 `[O, A]` by role or seat; a seat without one plays
                uniformly at random.
            copies: N.
            episode_rounds: rounds after which an episode is truncated; None: never.
            first_copy: the copy's number of row 0.
            observation: "digits", "onehot" or "box".
            infos: "nested", "flat", "mask" or None.

        Raises:
            ValueError: a number below its bound.
            ConfigError: mistakes in the name, the KPI or the tables, or an unknown form.
        """
        check_choices(observation, infos)
        if copies < 1:
            raise ValueError(f"at least one copy is needed, got {copies}")
        if first_copy < 0:
            raise ValueError(f"a copy's number must be >= 0, got {first_copy}")
        if episode_rounds is not None and episode_rounds < 1:
            raise ValueError(f"episode_rounds must be at least 1 or None, got {episode_rounds}")
        self.market, self.own = market, find_seats(market, seat)
        self.role = self.own[0].role
        self.columns = [each.index for each in self.own]
        self._names = [each.name for each in self.own]
        self._action_counts = [self.role.actions] * len(self.own)
        self.table = kpis.resolve(market, kpi)
        self.game = build_game(market, self.table)
        self.rows = build_rows(market, self.game, copies)
        self.loops = compiled(TEMPLATE, market.kernels)
        self.cumulative = cumulative(market, by_seat(market, tables))[None]
        self.copies, self.first_copy = copies, first_copy
        self.episode_rounds = episode_rounds
        self.digits = DigitEncoder(self.role)
        self.form, self.infos = ObservationForm(self.role, observation), infos
        self.measures = {m.name: market.columns[m.name] for m in market.measured(self.role.name)}
        self.terms = [self._terms(each) for each in self.own]
        self._block_masks = np.array([self.role.mask(o) for o in self.digits.starts])
        self._is_own = np.zeros(len(market.seats), np.int64)
        self._is_own[self.columns] = 1
        self._chosen = np.zeros_like(self.rows.actions)
        self.masked = np.full((copies, len(self.own)), NOT_MASKED, np.int64)
        self.steps = Steps(
            clocks=np.full((copies, 3), -1, np.int64),
            measures=np.zeros_like(self.rows.measures),
            scores=np.zeros_like(self.rows.scores),
            rounds=np.zeros(copies, np.int64),
            ended=np.zeros(copies, np.uint8),
            final=np.zeros_like(self.rows.observations),
        )
        self.reseed(0)

    def _terms(self, seat: Seat) -> dict[str, int]:
        """Columns of `Steps.scores` with a seat's KPI terms, by their names."""
        first = sum(len(self.table[s.name]) for s in self.market.seats[: seat.index])
        return {name: first + k for k, name in enumerate(self.table[seat.name])}

    @property
    def observation_space(self) -> MultiDiscrete | Box:
        """Of the phase and every part that the role ever sees, in the form that was chosen."""
        return self.form.space

    @property
    def action_space(self) -> Discrete:
        """The columns of the policy table."""
        return Discrete(self.role.actions)

    # --- copies and pickles ---------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "loops"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.loops = compiled(TEMPLATE, self.market.kernels)  # a module has no pickle

    # --- stepping -------------------------------------------------------------------------------

    def reseed(self, seed: int) -> None:
        """The next reset begins episode 0 of this seed.

        Raises:
            ValueError: a seed below 0.
        """
        if seed < 0:
            raise ValueError(f"a seed must be >= 0, got {seed}")
        streams = (rng.NATURE, rng.ACTION, rng.LOOKAHEAD)
        count = self.first_copy + self.copies
        keys = [rng.copy_keys([seed], count, which)[self.first_copy :] for which in streams]
        self.keys = np.stack(keys)
        self.steps.clocks[:, EPISODE] = -1

    def reset(self, seed: int | None = None) -> None:
        """Begin the next episode of every copy; with a seed, episode 0 of that seed.

        Raises:
            ValueError: a seed below 0.
            ConfigError: a copy meets no decision of an own seat.
        """
        if seed is not None:
            self.reseed(seed)
        self.masked[:] = NOT_MASKED
        self._run(begin_episode=True)

    def clear_step(self) -> None:
        """Forget what the last step brought, as at the beginning of an episode."""
        self.masked[:] = NOT_MASKED
        for array in (self.steps.measures, self.steps.scores, self.steps.rounds, self.steps.ended):
            array[:] = 0

    def step(self, actions: NDArray[Any]) -> None:
        """One own decision of every copy.

        Args:
            actions: integers `[N, K]` (`as_integers`). An illegal one becomes the first legal one
                and is recorded in `masked`.

        Raises:
            ValueError: an action outside the space, a wrong shape, or no episode has begun. Nothing
                has moved then.
            ConfigError: a copy meets no further decision of an own seat.
        """
        self.check_begun("step()")
        given = as_integers(actions, self.masked.shape, self._names, self._action_counts)
        check_inside(given, self._names, self.role.actions)
        legal = self.role.legal[self.observations]
        first, count = legal[..., 0], legal[..., 1]
        illegal = (given < first) | (given >= first + count)
        self.masked[:] = np.where(illegal, given, NOT_MASKED)
        self._chosen[:, self.columns] = np.where(illegal, first, given)
        self._run(begin_episode=False)

    def check_begun(self, call: str) -> None:
        """Check that an episode has begun.

        Raises:
            ValueError: `reset` was not called yet.
        """
        if self.steps.clocks[0, EPISODE] < 0:
            raise ValueError(f"{call} before an episode: call reset() first")

    def _run(self, begin_episode: bool) -> None:
        """Play on to the next decision in every copy."""
        stuck = self.loops.to_next_decision(
            self.game, self.rows, self.keys, self.cumulative, self.steps, self._is_own,
            self._chosen, begin_episode, self.episode_rounds or 0, MAX_WAIT,
        )  # fmt: skip
        if stuck:
            names = " or ".join(seat.name for seat in self.own)
            raise ConfigError(
                f"tables: {names} met no decision in {MAX_WAIT:,} rounds (copy "
                f"{self.first_copy + stuck - 1}): the others' tables leave it none."
            )

    # --- what a step brought --------------------------------------------------------------------

    @property
    def observations(self) -> Ints:
        """What own seats see now, int64 `[N, K]` indices."""
        return self.rows.observations[:, self.columns]

    @property
    def finals(self) -> Ints:
        """What own seats would have decided on next where an episode ended, int64 `[N, K]`."""
        return self.steps.final[:, self.columns]

    @property
    def rewards(self) -> Floats:
        """Own seats' rewards, summed over the step, float64 `[N, K]`."""
        return self.steps.scores[:, [len(self.game.terms) + c for c in self.columns]]

    @property
    def ended(self) -> Bools:
        """Whether a copy's episode ended in the step (by truncation), bool `[N]`."""
        return self.steps.ended.astype(np.bool_)

    def masks(self, observations: Ints) -> Masks:
        """Legal actions of observations int64 `[N]`, int8 `[N, A]`."""
        block = np.searchsorted(self.digits.starts, observations, side="right") - 1
        masks: Masks = self._block_masks[block]
        return masks

    def show(self, observations: Ints) -> NDArray[Any]:
        """Observations int64 `[N]` in the form that was chosen, `[N, parts]` or `[N, width]`."""
        return self.form(self.digits(observations))

    def info(self, r: int, k: int, mask: Masks) -> dict[str, Any]:
        """The last step of row r as own seat number k may know it, in the form that was chosen.

        Args:
            r: the row.
            k: the own seat.
            mask: legal actions, int8 `[A]`, of the observation beside which the info stands.

        Returns:
            Sums of its measures and KPI terms by name, the number of `rounds` that ended in the
            step, its `masked_action` if it was illegal, and the mask.
        """
        steps = self.steps
        measures, scores = steps.measures[r, self.columns[k]].tolist(), steps.scores[r].tolist()
        return arrange_info(
            self.infos,
            {name: measures[column] for name, column in self.measures.items()},
            {name: scores[column] for name, column in self.terms[k].items()},
            mask,
            None if self.masked[r, k] == NOT_MASKED else int(self.masked[r, k]),
            rounds=int(steps.rounds[r]),
        )


def as_rows(actions: Any, shape: tuple[int, int]) -> Any:
    """One action a row `[N * K]` as `[N, K]`; all else as it is, for `as_integers` to refuse."""
    try:
        given = np.asarray(actions)
    except ValueError:  # rows of different lengths
        return actions
    return given.reshape(shape) if given.shape == (shape[0] * shape[1],) else given


def check_single_seat(seats: SeatBatch) -> None:
    """Check that a batch has one own seat, for environments that show one.

    Raises:
        ConfigError: a role of several seats was named.
    """
    if len(seats.own) > 1:
        names = ", ".join(each.name for each in seats.own)
        raise ConfigError(f"seat: '{seats.role.name}' is a role of several seats: {names}.")
