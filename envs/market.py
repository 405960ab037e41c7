"""The market contract: what a market declares, and the tables that follow from it.

A market is finite. In each phase a role sees one of a few *parts* combined (its block of
observations) and does one of a few parts combined (its block of actions). Blocks lie one behind
the other, so that a seat's whole behaviour is one table `[O, A]`.

A market module holds, in this order: config model, measures, phases and parts, kernels, benchmarks.
Its three kernels are compiled functions of one copy:

    reset(params, state, key)                               fills the state row
    observe(params, state, phase, seat) -> index            what the seat sees, in 0 .. O-1
    play(params, state, phase, actions, measures, key)      one phase: moves state, fills measures

`params` and `state` are rows of float64; `actions` int64 `[S]`; `measures` float64 `[S + 1, M]`,
zeroed by the engine at the start of a round, row S being the market's own; `key` uint64.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from .analysis import Analysis
from .errors import ConfigError, build, nearest

MAX_OBSERVATIONS = 2**24  # a policy table beyond this is refused


@dataclass(frozen=True)
class Part:
    """One named digit of an observation or an action; `values` says what each value means."""

    name: str
    values: tuple[Any, ...]
    meaning: str

    def index(self, value: Any) -> int:
        """The position of a value; floats are compared to 1e-9."""
        for k, known in enumerate(self.values):
            if known == value or (
                isinstance(known, float)
                and isinstance(value, int | float)
                and abs(known - value) < 1e-9
            ):
                return k
        shown = [str(v) for v in self.values]
        raise ValueError(f"{self.name}: {value!r} is not one of {', '.join(shown)}")


WAIT = (Part("wait", ("wait",), "nothing to decide in this phase"),)
WAITING = {"wait": "wait"}  # the same, decoded


@dataclass(frozen=True)
class Block:
    """What a role sees and may do in one phase. `does=WAIT`: it has no move there.

    `given` are parts that have one value in the whole block, and tell it from its neighbours:
    `((COUNTERED, "no"),)`. They are seen, but take no room.
    """

    phase: int
    sees: tuple[Part, ...] = ()
    does: tuple[Part, ...] = WAIT
    given: tuple[tuple[Part, Any], ...] = ()

    @property
    def size(self) -> int:
        return prod(len(part.values) for part in self.sees)


@dataclass(frozen=True)
class Measure:
    """A named figure per seat and round, independent of any KPI."""

    name: str
    roles: tuple[str, ...]  # who has it; "market" is the market itself
    unit: str
    sign: int  # +1: more is better for whom it describes; -1: less is; 0: neither
    meaning: str
    past: bool = False  # depends on an earlier round


@dataclass(frozen=True)
class Claim:
    """An action part that says something about a private part of the same seat's observation.

    Value k of one means value k of the other; the claim is false where it differs. `above` and
    `below` are the measures that tell so, by where the claim lies (None: nothing is measured).
    `free`: its words mean nothing but what players make of them, so none of them is a lie.
    """

    role: str
    part: str
    about: str
    above: str | None
    below: str | None
    free: bool = False


@dataclass(frozen=True)
class Benchmark:
    """A reference outcome: measure -> value, and where it comes from."""

    values: Mapping[str, float]
    source: str


@dataclass(frozen=True)
class Role:
    """A kind of seat. Its observations and actions are its blocks' laid end to end."""

    name: str
    seats: int
    fundamental: str
    default_kpi: str
    blocks: tuple[Block, ...]

    @cached_property
    def choices(self) -> tuple[tuple[Part, ...], ...]:
        """The distinct action blocks, in order of phase; waiting, if any, comes last."""
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
        return sum(_size(parts) for parts in self.choices)

    @cached_property
    def legal(self) -> NDArray[np.int32]:
        """Legal actions of each observation, a contiguous range: int32 [O, (first, count)]."""
        starts = dict(zip(self.choices, self._action_starts, strict=True))
        rows = [(starts[b.does], _size(b.does)) for b in self.blocks]
        return np.repeat(np.array(rows, np.int32), [b.size for b in self.blocks], axis=0)

    @cached_property
    def _action_starts(self) -> tuple[int, ...]:
        return tuple(int(x) for x in np.cumsum([0, *map(_size, self.choices)])[:-1])

    def block_start(self, block: int) -> int:
        """The first observation of a block."""
        return sum(b.size for b in self.blocks[:block])

    def mask(self, observation: int) -> NDArray[np.int8]:
        """Legal actions of one observation as int8 [A]."""
        first, count = self.legal[observation]
        row = np.zeros(self.actions, np.int8)
        row[first : first + count] = 1
        return row

    @cached_property
    def observation_parts(self) -> tuple[Part, ...]:
        """Digits of the `MultiDiscrete` view: the phase, then every part seen in any phase."""
        phases = tuple(sorted({b.phase for b in self.blocks}))
        shown = ((*(part for part, _ in b.given), *b.sees) for b in self.blocks)
        seen = dict.fromkeys(part for parts in shown for part in parts)
        return (Part("phase", phases, "index of the phase"), *seen)

    def decode_observation(self, index: int) -> dict[str, Any]:
        """Parts of an observation by name; a part not seen in its phase is left out."""
        block, rest = self._block_of(index)
        values = _digits(rest, block.sees)
        known = {part.name: value for part, value in block.given}
        return {"phase": block.phase, **known} | {
            part.name: part.values[k] for part, k in zip(block.sees, values, strict=True)
        }

    def observation_digits(self, index: int) -> NDArray[np.int64]:
        """The observation as one digit per `observation_parts`; an unseen part is 0."""
        block, rest = self._block_of(index)
        seen = {part: part.index(value) for part, value in block.given}
        seen |= dict(zip(block.sees, _digits(rest, block.sees), strict=True))
        phases = self.observation_parts[0].values
        digits = [phases.index(block.phase), *(seen.get(p, 0) for p in self.observation_parts[1:])]
        return np.array(digits, np.int64)

    def decode_action(self, index: int) -> dict[str, Any]:
        """Parts of an action by name, as values."""
        if not 0 <= index < self.actions:
            raise ValueError(f"action {index} of a {self.name} is not in 0 .. {self.actions - 1}")
        for start, parts in zip(self._action_starts, self.choices, strict=True):
            if index < start + _size(parts):
                digits = _digits(int(index) - start, parts)
                return {p.name: p.values[k] for p, k in zip(parts, digits, strict=True)}
        raise AssertionError("unreachable")

    def encode_action(self, **values: Any) -> int:
        """The index of the action with these parts: `encode_action(bid=0.4)`."""
        for start, parts in zip(self._action_starts, self.choices, strict=True):
            if {p.name for p in parts} == set(values):
                index = 0
                for part in parts:
                    index = index * len(part.values) + part.index(values[part.name])
                return start + index
        known = [" and ".join(p.name for p in parts) for parts in self.choices]
        raise ValueError(f"no action of a {self.name} has parts {sorted(values)}; known: {known}")

    def _block_of(self, index: int) -> tuple[Block, int]:
        rest = int(index)
        for block in self.blocks:
            if 0 <= rest < block.size:
                return block, rest
            rest -= block.size
        raise ValueError(
            f"observation {index} of a {self.name} is not in 0 .. {self.observations - 1}"
        )


def _size(parts: tuple[Part, ...]) -> int:
    return prod(len(part.values) for part in parts)


def _digits(index: int, parts: tuple[Part, ...]) -> list[int]:
    digits = []
    for part in reversed(parts):
        index, digit = divmod(index, len(part.values))
        digits.append(digit)
    return digits[::-1]


@dataclass(frozen=True)
class Seat:
    """One chair at the table: `bidder_0`."""

    name: str
    index: int
    role: Role


class Market:
    """A market with its config: all that training, the engine and the views need.

    A subclass sets the class attributes, `declare`s its roles, and adds what it can say of itself:
    `benchmarks`, `derived`, `transcript`. What only probes and scripted players ask is a second,
    optional contract: `tacit.envs.analysis.Analysis`, named in `analysis_class`.

    Attributes set by `declare`:
        phases: names of the simultaneous decisions of a round, in order.
        roles: kinds of seats, with what they see and do.
        claims: action parts that say something about a private part.
        params: numbers that the kernels work on, float64 `[.]`.
        state_width: W, the length of a state row.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 0
    title: ClassVar[str]
    kernels: ClassVar[str]  # the module that holds reset, observe, play
    model: ClassVar[type[BaseModel]]
    measures: tuple[Measure, ...]  # of the class: all; of a market: those its config leaves
    headline: ClassVar[str]  # the measure of progress lines and comparisons
    beside_headline: ClassVar[Mapping[str, str]] = {}  # measure -> its column in comparisons
    analysis_class: ClassVar[type[Analysis] | None] = None

    config: BaseModel
    phases: tuple[str, ...]
    roles: tuple[Role, ...]
    claims: tuple[Claim, ...] = ()
    params: NDArray[np.float64]
    state_width: int

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        """Check `config` against the model, then declare.

        Raises:
            ConfigError: mistakes in the keys, or a role that sees more than MAX_OBSERVATIONS.
        """
        self.config = build(self.model, dict(config or {}), "market")
        self.declare()
        for role in self.roles:
            if role.observations > MAX_OBSERVATIONS:
                raise ConfigError(
                    f"market: a {role.name} would see {role.observations:,} observations, more "
                    f"than {MAX_OBSERVATIONS:,}. {self.too_large(role)}"
                )

    # --- what a market must say -----------------------------------------------------------------

    def declare(self) -> None:
        """Set phases, roles, params and state_width from `self.config`."""
        raise NotImplementedError

    # --- what it can say ------------------------------------------------------------------------

    @property
    def play_draws(self) -> bool:
        """Whether `play` makes draws under this config; if not, payoffs can be looked up."""
        return True

    def too_large(self, role: Role) -> str:
        """What to drop when a role sees too much."""
        return "Use fewer seats or let them see less."

    def conditions(self) -> dict[str, list[str]]:
        """What an experiment may require of the market, by name: the keys that stand against it,
        as `key: what is wrong`; none where it is met."""
        return {}

    def benchmarks(self) -> dict[str, Benchmark]:
        """`competitive` and `collusive` outcomes, as far as theory knows them."""
        return {}

    def derived(self, means: Mapping[str, float]) -> dict[str, float]:
        """Figures made from a run's mean measures (names as in summary.json)."""
        return {}

    def transcript(self, actions: NDArray[np.int64], measures: NDArray[np.float64]) -> list[str]:
        """One round in words, a line an act; `actions` int64 `[P, S]`, `measures` `[S + 1, M]`."""
        return [
            f"{seat.name}: " + ", ".join(f"{k} {v}" for k, v in done.items())
            for phase in range(len(self.phases))
            for seat in self.seats
            if self.acts(seat, phase)
            and (done := seat.role.decode_action(int(actions[phase, seat.index]))) != WAITING
        ]

    @cached_property
    def analysis(self) -> Analysis:
        """What probes ask of this market.

        Raises:
            ConfigError: it declares none.
        """
        if self.analysis_class is None:
            raise ConfigError(self.lacks_analysis())
        return self.analysis_class(self)

    def lacks_analysis(self) -> str:
        """The sentence that says so."""
        return (
            f"{self.name} declares no Analysis (what nature draws, by which act rivals compete: "
            "tacit.envs.analysis)"
        )

    # --- what follows from the declaration ------------------------------------------------------

    @cached_property
    def seats(self) -> tuple[Seat, ...]:
        """Every chair, role by role."""
        pairs = [(role, k) for role in self.roles for k in range(role.seats)]
        return tuple(Seat(f"{role.name}_{k}", i, role) for i, (role, k) in enumerate(pairs))

    @cached_property
    def columns(self) -> dict[str, int]:
        """Measure name -> its column."""
        return {measure.name: k for k, measure in enumerate(self.measures)}

    def role(self, name: str) -> Role:
        return {role.name: role for role in self.roles}[name]

    def seat(self, name: str) -> Seat:
        """A chair by name; an unknown one is a KeyError that names the nearest."""
        for seat in self.seats:
            if seat.name == name:
                return seat
        raise KeyError(f"{name}: unknown seat. {nearest(name, [s.name for s in self.seats])}")

    def acts(self, seat: Seat, phase: int) -> bool:
        """Whether the seat decides in this phase (in at least one of its observations)."""
        return any(b.phase == phase and b.does != WAIT for b in seat.role.blocks)

    def measured(self, role: str) -> list[Measure]:
        """The measures that a role (or 'market') has."""
        return [m for m in self.measures if role in m.roles]
