"""Roles and seats: what they see and do, as named parts and as indices of a policy table.

An observation index counts the parts of its block like the digits of a number, the last part
fastest; the blocks of all phases lie end to end. Actions are indexed in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.envs.types import Ints, Masks


@dataclass(frozen=True)
class Part:
    """One named digit of an observation or an action.

    Attributes:
        name: as `decode_observation` and `encode_action` call it.
        values: what each of its digits 0, 1, ... means.
        meaning: one line.
        of: whose data it is, where that is declared: a seat, a role, or "nature".
        age: how many rounds old it is, where that is declared.
    """

    name: str
    values: tuple[Any, ...]
    meaning: str
    of: str | None = None
    age: int | None = None

    def index(self, value: Any) -> int:
        """The digit of a value; floats are compared to 1e-9.

        Raises:
            ValueError: it is none of `values`.
        """
        for k, known in enumerate(self.values):
            if known == value or (
                isinstance(known, float)
                and isinstance(value, int | float)
                and abs(known - value) < 1e-9
            ):
                return k
        shown = [str(v) for v in self.values]
        raise ValueError(f"{self.name}: {value!r} is not one of {', '.join(shown)}")


PHASE = "phase"  # the first of `Role.observation_parts`
WAIT = (Part("wait", ("wait",), "nothing to decide in this phase"),)
WAITING = {"wait": "wait"}  # the decoded action of WAIT


@dataclass(frozen=True)
class Block:
    """What a role sees and may do in one phase.

    A role has several blocks for a phase if what it may do there depends on what it sees.

    Attributes:
        phase: the phase's index.
        sees: the parts of an observation in this block.
        does: the parts of an action in this block; WAIT if the role does not act there.
        given: parts that have one and the same value in the whole block, with that value, as in
            `((COUNTERED, "no"),)`. They tell the block from others of its phase, and are seen, but
            multiply no observations.
    """

    phase: int
    sees: tuple[Part, ...] = ()
    does: tuple[Part, ...] = WAIT
    given: tuple[tuple[Part, Any], ...] = ()

    @property
    def size(self) -> int:
        """How many observations the block has."""
        return _combinations(self.sees)


@dataclass(frozen=True)
class Role:
    """A kind of seat.

    Attributes:
        name: as in `bidder`.
        seats: how many there are.
        fundamental: the measure by which a harm to the role is judged.
        default_kpi: the measure that is its KPI, at weight 1, where no table names the role.
        blocks: what it sees and does, in order of phase.
    """

    name: str
    seats: int
    fundamental: str
    default_kpi: str
    blocks: tuple[Block, ...]

    # --- sizes ----------------------------------------------------------------------------------

    @cached_property
    def choices(self) -> tuple[tuple[Part, ...], ...]:
        """The distinct blocks of actions, in order of phase; waiting, if any, comes last."""
        acts = dict.fromkeys(b.does for b in self.blocks if b.does != WAIT)
        waits = [WAIT] if any(b.does == WAIT for b in self.blocks) else []
        return (*acts, *waits)

    @cached_property
    def observations(self) -> int:
        """O, the number of rows of a policy table."""
        return sum(block.size for block in self.blocks)

    @cached_property
    def actions(self) -> int:
        """A, the number of columns of a policy table."""
        return sum(_combinations(parts) for parts in self.choices)

    @cached_property
    def _action_starts(self) -> tuple[int, ...]:
        """The first action of each of `choices`."""
        return tuple(int(x) for x in np.cumsum([0, *map(_combinations, self.choices)])[:-1])

    def block_start(self, block: int) -> int:
        """The first observation of a block."""
        return sum(b.size for b in self.blocks[:block])

    # --- legal actions --------------------------------------------------------------------------

    @cached_property
    def legal(self) -> NDArray[np.int32]:
        """Legal actions of each observation, int32 `[O, 2]`: the first, and how many follow on.

        They are a contiguous range, because the actions of one block are.
        """
        starts = dict(zip(self.choices, self._action_starts, strict=True))
        rows = [(starts[b.does], _combinations(b.does)) for b in self.blocks]
        return np.repeat(np.array(rows, np.int32), [b.size for b in self.blocks], axis=0)

    def mask(self, observation: int) -> Masks:
        """Legal actions of one observation, int8 `[A]`: 1 where legal."""
        first, count = self.legal[observation]
        row = np.zeros(self.actions, np.int8)
        row[first : first + count] = 1
        return row

    # --- observations ---------------------------------------------------------------------------

    @cached_property
    def observation_parts(self) -> tuple[Part, ...]:
        """Digits of the `MultiDiscrete` view: the phase, then every part seen in any phase."""
        phases = tuple(sorted({b.phase for b in self.blocks}))
        shown = ((*(part for part, _ in b.given), *b.sees) for b in self.blocks)
        seen = dict.fromkeys(part for parts in shown for part in parts)
        return (Part(PHASE, phases, "index of the phase"), *seen)

    def decode_observation(self, index: int) -> dict[str, Any]:
        """The parts of an observation by name; parts that its phase does not show are left out.

        Raises:
            ValueError: no such observation.
        """
        block, rest = self._block_of(index)
        digits = _digits(rest, block.sees)
        known = {part.name: value for part, value in block.given}
        return {PHASE: block.phase, **known} | {
            part.name: part.values[k] for part, k in zip(block.sees, digits, strict=True)
        }

    def observation_digits(self, index: int) -> Ints:
        """The observation as int64 `[parts]`, a digit for each of `observation_parts`.

        A part that its phase does not show is 0.

        Raises:
            ValueError: no such observation.
        """
        block, rest = self._block_of(index)
        seen = {part: part.index(value) for part, value in block.given}
        seen |= dict(zip(block.sees, _digits(rest, block.sees), strict=True))
        phases = self.observation_parts[0].values
        digits = [phases.index(block.phase), *(seen.get(p, 0) for p in self.observation_parts[1:])]
        return np.array(digits, np.int64)

    def _block_of(self, index: int) -> tuple[Block, int]:
        """The block of an observation, and its index within the block."""
        rest = int(index)
        for block in self.blocks:
            if 0 <= rest < block.size:
                return block, rest
            rest -= block.size
        raise ValueError(
            f"observation {index} of a {self.name} is not in 0 .. {self.observations - 1}"
        )

    # --- actions --------------------------------------------------------------------------------

    def decode_action(self, index: int) -> dict[str, Any]:
        """The parts of an action by name, as values: `{"bid": 0.4}`.

        Raises:
            ValueError: no such action.
        """
        if not 0 <= index < self.actions:
            raise ValueError(f"action {index} of a {self.name} is not in 0 .. {self.actions - 1}")
        for start, parts in zip(self._action_starts, self.choices, strict=True):
            if index < start + _combinations(parts):
                digits = _digits(int(index) - start, parts)
                return {p.name: p.values[k] for p, k in zip(parts, digits, strict=True)}
        raise AssertionError("unreachable")

    def encode_action(self, **values: Any) -> int:
        """The index of the action with these parts: `encode_action(bid=0.4)`.

        Raises:
            ValueError: no block of actions has exactly these parts, or a part has no such value.
        """
        for start, parts in zip(self._action_starts, self.choices, strict=True):
            if {p.name for p in parts} == set(values):
                index = 0
                for part in parts:
                    index = index * len(part.values) + part.index(values[part.name])
                return start + index
        known = [" and ".join(p.name for p in parts) for parts in self.choices]
        raise ValueError(f"no action of a {self.name} has parts {sorted(values)}; known: {known}")


@dataclass(frozen=True)
class Seat:
    """One place at the table, taken by one agent.

    Attributes:
        name: as in `bidder_0`.
        index: its position among all seats of the market.
        role: what it sees and does.
    """

    name: str
    index: int
    role: Role


def _combinations(parts: tuple[Part, ...]) -> int:
    """How many ways there are to choose a value of each part."""
    return prod(len(part.values) for part in parts)


def _digits(index: int, parts: tuple[Part, ...]) -> list[int]:
    """The digit of each part in an index that counts the last part fastest."""
    digits = []
    for part in reversed(parts):
        index, digit = divmod(index, len(part.values))
        digits.append(digit)
    return digits[::-1]
