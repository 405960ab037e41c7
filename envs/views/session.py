"""One copy of a market with names instead of indices, on which both PettingZoo views are built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Discrete
from numpy.typing import NDArray

from tacit.envs import kpi as kpis
from tacit.envs.engine.action_index import check_action
from tacit.envs.engine.engine import Engine
from tacit.envs.jit.array_views import bind
from tacit.envs.market import WAIT, Market, Seat
from tacit.envs.types import Masks

from .choices import ObservationForm, arrange_info, check_choices


class ObservationView(NamedTuple):
    """One observation of a seat as the PettingZoo views show it.

    Attributes:
        shown: the observation as it was chosen: digits int64 `[parts]`, or float32 `[width]`.
        mask: legal actions, int8 `[A]`, read-only.
        first: the first legal action.
        end: one behind the last legal action.
    """

    shown: NDArray[Any]
    mask: Masks
    first: int
    end: int


class SeatView(dict[int, ObservationView]):
    """A seat's names and spaces.

    As a dict it maps an observation's index to its `ObservationView`, made when first looked up: a
    seat usually meets few of its observations.

    Attributes:
        name: as in `bidder_0`.
        index: the seat's position among all seats.
        role: the seat's role.
        form: how its observations are shown.
        observation_space: of what is shown.
        action_space: `Discrete`, the columns of the policy table.
        measures: the column of each measure that the seat has, by name.
        terms: the column in a row of scores of each of its KPI terms, by name.
        acts: whether it decides, by phase.
    """

    def __init__(self, market: Market, seat: Seat, table: kpis.KpiTable, observation: str) -> None:
        super().__init__()
        role = seat.role
        self.name, self.index, self.role = seat.name, seat.index, role
        self.form = ObservationForm(role, observation)
        self.observation_space = self.form.space
        self.action_space = Discrete(role.actions)
        self.measures = {m.name: market.columns[m.name] for m in market.measured(role.name)}
        first = sum(len(table[s.name]) for s in market.seats[: seat.index])
        self.terms = {name: first + k for k, name in enumerate(table[seat.name])}
        self.acts = [market.acts(seat, phase) for phase in range(len(market.phases))]

    def __missing__(self, observation: int) -> ObservationView:
        mask = self.role.mask(observation)
        mask.flags.writeable = False
        first, count = self.role.legal[observation].tolist()
        shown = self.form(self.role.observation_digits(observation))
        view = ObservationView(shown, mask, first, first + count)
        self[observation] = view
        return view

    def check_action(self, action: Any) -> int:
        """The action as an int.

        Raises:
            ValueError: it is no integer (`as_integer`), or outside the seat's space.
        """
        return check_action(action, self.name, self.role.actions)

    def info_source(self, infos: str | None) -> str:
        """Python source of the seat's info, over the names of `output_function`."""
        measures = {name: f"measures[{self.index}][{k}]" for name, k in self.measures.items()}
        terms = {name: f"scores[{k}]" for name, k in self.terms.items()}
        return _source(arrange_info(infos, measures, terms, f"views[{self.index}].mask"))


def _source(entry: Any) -> str:
    """Python source of a dict whose values are source, or dicts of it."""
    if not isinstance(entry, dict):
        return str(entry)
    return "{" + ", ".join(f"{name!r}: {_source(value)}" for name, value in entry.items()) + "}"


# observations as they were chosen, rewards and infos, each by seat name
StepOutput = tuple[dict[str, NDArray[Any]], dict[str, float], dict[str, dict[str, Any]]]


def output_function(seats: list[SeatView], infos: str | None) -> Callable[..., StepOutput]:
    """A function of (measures, scores, views) that returns observations, rewards and infos.

    Its arguments are nested lists of one copy: measures `[S + 1, M]`, scores `[T + S]`, and an
    `ObservationView` for each seat.

    It is generated from text, as `dataclasses` generates methods: dict displays with constant keys
    are four times as fast as building the same dicts from pairs, which would be half the cost of a
    step.
    """
    terms = sum(len(seat.terms) for seat in seats)
    observations = ", ".join(f"{s.name!r}: views[{s.index}].shown.copy()" for s in seats)
    rewards = ", ".join(f"{s.name!r}: scores[{terms + s.index}]" for s in seats)
    told = ", ".join(f"{s.name!r}: {s.info_source(infos)}" for s in seats)
    source = f"lambda measures, scores, views: ({{{observations}}}, {{{rewards}}}, {{{told}}})"
    function: Callable[..., StepOutput] = eval(source, {"__builtins__": {}})
    return function


class Session:
    """An `Engine` of one copy, played by seat name, with a transcript.

    Attributes:
        market: the market.
        table: the resolved KPI table.
        engine: the engine, of one seed and one copy.
        seats: the view of each seat, in order.
        by_name: the same by seat name.
        infos: the form of infos.
        acting: the seats that decide, by phase.
        episode_rounds: rounds after which an episode is truncated; None: never.
        keeps_actions: whether `played` is filled, for a transcript.
        played: what each seat did in each phase of this round, int64 `[P, S]`.
        views: what each seat sees now.
    """

    def __init__(
        self,
        market: Market,
        kpi: Mapping[str, Any] | None,
        episode_rounds: int | None,
        keeps_actions: bool = False,
        observation: str = "digits",
        infos: str | None = "nested",
    ) -> None:
        """Make an engine of one copy; `reset` begins its first episode.

        Raises:
            ValueError: `episode_rounds` below 1.
            ConfigError: mistakes in the KPI table, or unknown forms (`check_choices`).
        """
        check_choices(observation, infos)
        if episode_rounds is not None and episode_rounds < 1:
            raise ValueError(f"episode_rounds must be at least 1 or None, got {episode_rounds}")
        self.market = market
        self.table = kpis.resolve(market, kpi)
        self.engine = Engine(market, self.table)
        self.seats = [SeatView(market, s, self.table, observation) for s in market.seats]
        self.by_name = {seat.name: seat for seat in self.seats}
        self.infos = infos
        self.episode_rounds = episode_rounds
        self.acting = [
            [seat for seat in self.seats if seat.acts[phase]] for phase in range(len(market.phases))
        ]
        self.keeps_actions = keeps_actions
        self.played = np.zeros((len(market.phases), len(self.seats)), np.int64)
        self._key = self.engine.nature[0]
        self.views: list[ObservationView] = []
        self._connect()

    # --- copies and pickles ---------------------------------------------------------------------

    # Attributes that `_connect` makes from the others, left out of pickles and copies: addresses
    # and views of the engine's own rows, and functions.
    _MADE = ("_step", "_bound", "_actions", "_observations", "_measures", "_scores", "_outputs")

    def _connect(self) -> None:
        """Make what follows from the engine's rows and the seats."""
        self._step = self.engine.loops.step_bound
        self._bound = bind([*self.engine.game, *self.engine.rows])
        self._actions = self.engine.rows.actions[0]
        self._observations = self.engine.rows.observations[0]
        self._measures = self.engine.rows.measures[0]
        self._scores = self.engine.rows.scores[0]
        self._outputs = output_function(self.seats, self.infos)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in self._MADE}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._connect()
        for seat in self.seats:
            seat.clear()  # NumPy makes a copied or unpickled mask writeable: make the views anew
        if self.views:
            self._observe()

    # --- playing --------------------------------------------------------------------------------

    def reset(self, seed: int | None) -> None:
        """Begin the next episode; with a seed, episode 0 of that seed.

        Raises:
            ValueError: a seed below 0.
        """
        if seed is not None:
            self.engine.reseed([seed])
        self._key = self.engine.nature[0]
        self.engine.reset()
        self._observe()

    @property
    def over(self) -> bool:
        """Whether the episode has reached its number of rounds."""
        return self.episode_rounds is not None and self.engine.round >= self.episode_rounds

    def _observe(self) -> None:
        """Look up what every seat sees now."""
        observations = self._observations.tolist()
        self.views = [seat[o] for seat, o in zip(self.seats, observations)]  # noqa: B905 (hot)

    def advance(self, actions: list[tuple[int, int]]) -> bool:
        """Play the phase with unchecked (seat index, action) pairs; True when it ended a round."""
        engine, row = self.engine, self._actions
        for index, action in actions:
            row[index] = action
        phase = engine.phase
        if self.keeps_actions:
            self.played[phase] = row
        self._step(self._bound, self._key, engine.episode, engine.round, phase)
        self._observe()
        return engine.tick()

    def outputs(self) -> StepOutput:
        """Observations, the last finished round's rewards, and infos, by name."""
        return self._outputs(self._measures.tolist(), self._scores.tolist(), self.views)

    # --- words ----------------------------------------------------------------------------------

    def transcript(self) -> str:
        """The finished round in words; it needs `keeps_actions`."""
        engine = self.engine
        lines = self.market.transcript(self.played, engine.measures[0])
        rewards = zip(self.seats, engine.rewards[0], strict=True)
        earned = ", ".join(f"{seat.name} {reward:+.3g}" for seat, reward in rewards)
        head = f"round {engine.round} of episode {engine.episode}"
        return "\n".join([head, *(f"  {line}" for line in lines), f"  KPI: {earned}"])

    def decode_action(self, seat: str, index: int) -> dict[str, Any]:
        """An action's parts by name: `decode_action("bidder_0", 7)` is `{"bid": 0.4}`.

        Raises:
            ValueError: the action is outside the seat's space.
        """
        view = self.by_name[seat]
        return view.role.decode_action(view.check_action(index))

    def encode_action(self, seat: str, parts: Mapping[str, Any]) -> int:
        """The index of an action given by its parts.

        Raises:
            ValueError: the seat has no action with these parts.
        """
        return self.by_name[seat].role.encode_action(**parts)

    def decode_observation(self, seat: str, observation: NDArray[Any]) -> dict[str, Any]:
        """The parts of an observation by name, as far as its phase shows them.

        Args:
            seat: the seat's name.
            observation: in the form that was chosen, int64 `[parts]` or float32 `[width]`.
        """
        role = self.by_name[seat].role
        digits = self.by_name[seat].form.digits(observation)
        parts = dict(zip(role.observation_parts, (int(d) for d in digits), strict=True))
        phase = role.observation_parts[0].values[int(digits[0])]
        block = next(b for b in role.blocks if b.phase == phase and (b.does != WAIT or not b.sees))
        seen = {part.name: part.values[parts[part]] for part in block.sees}
        return {"phase": self.market.phases[phase]} | seen
