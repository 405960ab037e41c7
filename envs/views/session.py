"""One copy of a market with names instead of indices: what both PettingZoo views stand on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete
from numpy.typing import NDArray

from tacit.envs import kpi as kpis
from tacit.envs.engine.engine import Engine
from tacit.envs.jit.array_views import bind
from tacit.envs.market import WAIT, Market, Seat


class Sight(NamedTuple):
    """What one observation index means at the table."""

    digits: NDArray[np.int64]
    mask: NDArray[np.int8]
    first: int
    end: int


class Chair(dict[int, Sight]):
    """A seat's names and spaces; as a dict, its sights by observation, made when first met."""

    def __init__(self, market: Market, seat: Seat, table: kpis.KpiTable) -> None:
        super().__init__()
        role = seat.role
        self.name, self.index, self.role = seat.name, seat.index, role
        self.observation_space = MultiDiscrete([len(p.values) for p in role.observation_parts])
        self.action_space = Discrete(role.actions)
        self.measures = {m.name: market.columns[m.name] for m in market.measured(role.name)}
        first = sum(len(table[s.name]) for s in market.seats[: seat.index])
        self.terms = {name: first + k for k, name in enumerate(table[seat.name])}
        self.acts = [market.acts(seat, phase) for phase in range(len(market.phases))]

    def __missing__(self, observation: int) -> Sight:
        mask = self.role.mask(observation)
        mask.flags.writeable = False
        first, count = self.role.legal[observation].tolist()
        sight = Sight(self.role.observation_digits(observation), mask, first, first + count)
        self[observation] = sight
        return sight

    def check(self, action: Any) -> int:
        """The action as an int, refused when outside the space."""
        try:
            index = int(action)
            if index == action and 0 <= index < self.role.actions:
                return index
        except (TypeError, ValueError):
            pass
        raise ValueError(
            f"{self.name}: action {action!r} is outside its space 0 .. {self.role.actions - 1}"
        )

    def info_source(self) -> str:
        """The seat's info as a dict display over m (measures), s (scores), v (sights)."""
        measures = ", ".join(f"{n!r}: m[{self.index}][{k}]" for n, k in self.measures.items())
        terms = ", ".join(f"{name!r}: s[{k}]" for name, k in self.terms.items())
        mask = f"v[{self.index}].mask"
        return f"{{'measures': {{{measures}}}, 'kpi': {{{terms}}}, 'action_mask': {mask}}}"


StepOutput = tuple[dict[str, NDArray[np.int64]], dict[str, float], dict[str, dict[str, Any]]]


def reader(chairs: list[Chair]) -> Callable[..., StepOutput]:
    """A function of (measures, scores, sights): observations, rewards and infos by seat name.

    It is generated, as `dataclasses` generates methods: dict displays with constant keys are four
    times as fast as building the same dicts from pairs, which would be half the cost of a step.
    """
    terms = sum(len(chair.terms) for chair in chairs)
    observations = ", ".join(f"{c.name!r}: v[{c.index}].digits.copy()" for c in chairs)
    rewards = ", ".join(f"{c.name!r}: s[{terms + c.index}]" for c in chairs)
    infos = ", ".join(f"{c.name!r}: {c.info_source()}" for c in chairs)
    source = f"lambda m, s, v: ({{{observations}}}, {{{rewards}}}, {{{infos}}})"
    function: Callable[..., StepOutput] = eval(source, {"__builtins__": {}})
    return function


class Session:
    """An `Engine` of one copy, played by seat name, with a transcript."""

    def __init__(
        self,
        market: Market,
        kpi: Mapping[str, Any] | None,
        episode_rounds: int | None,
        keeps_actions: bool = False,
    ) -> None:
        if episode_rounds is not None and episode_rounds < 1:
            raise ValueError(f"episode_rounds must be at least 1 or None, got {episode_rounds}")
        self.market = market
        self.table = kpis.resolve(market, kpi)
        self.engine = Engine(market, self.table)
        self.chairs = [Chair(market, seat, self.table) for seat in market.seats]
        self.by_name = {chair.name: chair for chair in self.chairs}
        self.episode_rounds = episode_rounds
        self.acting = [
            [c for c in self.chairs if c.acts[phase]] for phase in range(len(market.phases))
        ]
        self.keeps_actions = keeps_actions
        self.played = np.zeros((len(market.phases), len(self.chairs)), np.int64)
        self._key = self.engine.nature[0]
        self.sights: list[Sight] = []  # what every seat sees now
        self._connect()

    def _connect(self) -> None:
        """What a copy of a session makes anew: addresses and parts of its own engine's rows."""
        self._step = self.engine.loops.step_bound
        self._bound = bind([*self.engine.game, *self.engine.rows])
        self._actions = self.engine.rows.actions[0]
        self._observations = self.engine.rows.observations[0]
        self._measures = self.engine.rows.measures[0]
        self._scores = self.engine.rows.scores[0]
        self._read = reader(self.chairs)

    def __getstate__(self) -> dict[str, Any]:
        made = ("_step", "_bound", "_actions", "_observations", "_measures", "_scores", "_read")
        return {name: value for name, value in self.__dict__.items() if name not in made}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._connect()
        for chair in self.chairs:
            chair.clear()  # a copied mask is no longer read-only
        if self.sights:
            self._look()

    def reset(self, seed: int | None) -> None:
        """A new episode; a seed starts its episodes from 0 again."""
        if seed is not None:
            self.engine.reseed([seed])
        self._key = self.engine.nature[0]
        self.engine.reset()
        self._look()

    @property
    def over(self) -> bool:
        return self.episode_rounds is not None and self.engine.round >= self.episode_rounds

    def _look(self) -> None:
        seen = self._observations.tolist()
        self.sights = [chair[o] for chair, o in zip(self.chairs, seen)]  # noqa: B905 (hot)

    def advance(self, actions: list[tuple[int, int]]) -> bool:
        """Play the phase with (seat index, action) pairs; True when a round has ended."""
        engine, row = self.engine, self._actions
        for index, action in actions:
            row[index] = action
        phase = engine.phase
        if self.keeps_actions:
            self.played[phase] = row
        self._step(self._bound, self._key, engine.episode, engine.round, phase)
        self._look()
        return engine.tick()

    def reading(self) -> StepOutput:
        """Observations, the last finished round's rewards, and infos, by seat name."""
        return self._read(self._measures.tolist(), self._scores.tolist(), self.sights)

    def transcript(self) -> str:
        """The finished round in words."""
        engine = self.engine
        lines = self.market.transcript(self.played, engine.measures[0])
        earned = [f"{c.name} {x:+.3g}" for c, x in zip(self.chairs, engine.rewards[0], strict=True)]
        head = f"round {engine.round} of episode {engine.episode}"
        return "\n".join([head, *(f"  {line}" for line in lines), f"  KPI: {', '.join(earned)}"])

    def decode_action(self, seat: str, index: int) -> dict[str, Any]:
        """An action's parts by name: `decode_action("bidder_0", 7)` is `{"bid": 0.4}`."""
        chair = self.by_name[seat]
        return chair.role.decode_action(chair.check(index))

    def encode_action(self, seat: str, parts: Mapping[str, Any]) -> int:
        """The index of an action given by its parts."""
        return self.by_name[seat].role.encode_action(**parts)

    def decode_observation(self, seat: str, digits: NDArray[np.int64]) -> dict[str, Any]:
        """The parts of a `MultiDiscrete` observation by name, as far as its phase shows them."""
        role = self.by_name[seat].role
        parts = dict(zip(role.observation_parts, (int(d) for d in digits), strict=True))
        phase = role.observation_parts[0].values[int(digits[0])]
        block = next(b for b in role.blocks if b.phase == phase and (b.does != WAIT or not b.sees))
        seen = {part.name: part.values[parts[part]] for part in block.sees}
        return {"phase": self.market.phases[phase]} | seen
