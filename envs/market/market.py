"""The class that a market derives from. The contract as a whole: `tacit.envs.market`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel

from tacit.envs.analysis import Analysis
from tacit.envs.errors import ConfigError, build, nearest
from tacit.envs.types import Floats, Ints

from .check import class_mistakes, declaration_mistakes
from .declarations import Benchmark, Claim, Lot, Measure
from .roles import WAIT, WAITING, Role, Seat

MAX_OBSERVATIONS = 2**24  # a policy table with more rows is refused


class Market:
    """A market with its config: all that training, the engine and the views need.

    A subclass sets the class attributes, defines `declare`, and adds what else it can say of
    itself: `benchmarks`, `derived`, `transcript`, `conditions`. What only probes and scripted
    players ask is a second, optional contract: `tacit.envs.analysis.Analysis`, named in
    `analysis_class`.

    Attributes of the class:
        name: as in `market.name` and `tacit/NAME-v0`.
        version: grows when a rule changes.
        title: one line, for `tacit list`.
        kernels: the dotted name of the module that holds reset, observe and play.
        model: the config model, a frozen pydantic model.
        measures: everything that the market may report, in order of their columns. `declare` may
            replace it, for an instance, by those that its config leaves.
        headline: the measure that progress lines and comparisons show.
        beside_headline: further measures for comparisons, each with the title of its column.
        derived_meanings: what `derived` returns: name -> unit and meaning, a line each.
        welfare: the measure of what everybody has together, if there is one; the Goodhart gap is
            taken of it too.
        analysis_class: the market's `Analysis`, if it has one.

    Attributes that `declare` sets:
        phases: names of the simultaneous decisions of a round, in order.
        roles: kinds of seats, with what they see and do.
        claims: action parts that say something about a private part.
        no_deal: actions by which a role does without a deal, each as its parts; a person's veto
            puts one in the place of what a seat chose.
        params: the constants that the kernels work on, float64 `[.]`.
        state_width: W, the length of a state row.

    Attribute that `tacit.envs.shown` sets:
        view_params: what its kernels read behind `params`, float64 `[.]`.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 0
    title: ClassVar[str]
    kernels: ClassVar[str]
    model: ClassVar[type[BaseModel]]
    measures: tuple[Measure, ...]
    headline: ClassVar[str]
    beside_headline: ClassVar[Mapping[str, str]] = {}
    derived_meanings: ClassVar[Mapping[str, tuple[str, str]]] = {}
    welfare: ClassVar[str | None] = None
    analysis_class: ClassVar[type[Analysis] | None] = None

    config: BaseModel
    phases: tuple[str, ...]
    roles: tuple[Role, ...]
    claims: tuple[Claim, ...] = ()
    no_deal: Mapping[str, tuple[Mapping[str, Any], ...]] = {}
    params: Floats
    state_width: int
    view_params: Floats | None = None

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        """Check `config` against the model, then declare.

        Raises:
            ConfigError: mistakes in the keys, in what the class declares, or a role that sees more
                than MAX_OBSERVATIONS.
        """
        if mistakes := class_mistakes(type(self)):
            raise ConfigError(mistakes)
        self.config = build(self.model, dict(config or {}), "market")
        self.declare()
        if mistakes := declaration_mistakes(self):
            raise ConfigError(mistakes)
        for role in self.roles:
            if role.observations > MAX_OBSERVATIONS:
                raise ConfigError(
                    f"market: a {role.name} would see {role.observations:,} observations, more "
                    f"than {MAX_OBSERVATIONS:,}. {self.too_large(role)}"
                )

    # --- what a market must say -----------------------------------------------------------------

    def declare(self) -> None:
        """Set `phases`, `roles`, `params` and `state_width` from `self.config`.

        Raises:
            ConfigError: the market's class does not define it.
        """
        raise ConfigError(f"{type(self).__name__}.declare: missing.")

    # --- what it can say ------------------------------------------------------------------------

    @property
    def kernel_params(self) -> Floats:
        """What the kernels are given: `params`, and what is read behind them, float64 `[.]`."""
        if self.view_params is None:
            return self.params
        return np.concatenate([self.params, self.view_params])

    @property
    def play_draws(self) -> bool:
        """Whether `play` makes draws under this config; if not, payoffs can be looked up."""
        return True

    @property
    def play_lots(self) -> tuple[Lot, ...] | None:
        """All draws of `play`, where each has but a few outcomes; None: nothing is known of them.

        Rounds of a market of one phase can then be looked up although it draws. An override must
        name every slot that `play` may draw with.
        """
        return None if self.play_draws else ()

    def too_large(self, role: Role) -> str:
        """The advice that follows when a role sees too much: what to drop."""
        return "Use fewer seats or let them see less."

    def conditions(self) -> dict[str, list[str]]:
        """What an experiment may require of the market, by name.

        Returns:
            For each condition the keys that violate it, as `key: what is wrong`; an empty list
            where it is met.
        """
        return {}

    def benchmarks(self) -> dict[str, Benchmark]:
        """Reference outcomes by name, `competitive` and `collusive` where theory knows them."""
        return {}

    def derived(self, means: Mapping[str, float]) -> dict[str, float]:
        """Figures made from a run's mean measures, which are named as in summary.json."""
        return {}

    def transcript(self, actions: Ints, measures: Floats) -> list[str]:
        """One round in words, a line for each act.

        This default prints the parts of every action by name; a market may say it better.

        Args:
            actions: what each seat did in each phase, int64 `[P, S]`.
            measures: of the finished round, float64 `[S + 1, M]`.
        """
        lines = []
        for phase in range(len(self.phases)):
            for seat in self.seats:
                if not self.acts(seat, phase):
                    continue
                action = seat.role.decode_action(int(actions[phase, seat.index]))
                if action != WAITING:
                    parts = ", ".join(f"{name} {value}" for name, value in action.items())
                    lines.append(f"{seat.name}: {parts}")
        return lines

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
        """The sentence that says that the market declares no `Analysis`."""
        return (
            f"{self.name} declares no Analysis (what nature draws, by which act rivals compete: "
            "tacit.envs.analysis)"
        )

    # --- what follows from the declaration ------------------------------------------------------

    @cached_property
    def seats(self) -> tuple[Seat, ...]:
        """Every seat, role by role."""
        pairs = [(role, k) for role in self.roles for k in range(role.seats)]
        return tuple(Seat(f"{role.name}_{k}", i, role) for i, (role, k) in enumerate(pairs))

    @cached_property
    def columns(self) -> dict[str, int]:
        """The column of each measure, by its name."""
        return {measure.name: k for k, measure in enumerate(self.measures)}

    def role(self, name: str) -> Role:
        """A role by name.

        Raises:
            KeyError: no such role.
        """
        return {role.name: role for role in self.roles}[name]

    def seat(self, name: str) -> Seat:
        """A seat by name.

        Raises:
            KeyError: no such seat; the message names the nearest.
        """
        for seat in self.seats:
            if seat.name == name:
                return seat
        raise KeyError(f"{name}: unknown seat. {nearest(name, [s.name for s in self.seats])}")

    def acts(self, seat: Seat, phase: int) -> bool:
        """Whether the seat decides in this phase, in at least one of its observations."""
        return any(b.phase == phase and b.does != WAIT for b in seat.role.blocks)

    def measured(self, role: str) -> list[Measure]:
        """The measures that a role (or "market") has, in order of their columns."""
        return [m for m in self.measures if role in m.roles]
