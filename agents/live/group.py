"""A group in which some seats are played by agents that are asked whenever they decide.

A live seat is a fixed table whose rows are written as they are answered. What a seat sees in a
phase may depend on the earlier phases of the round, so a round is tried, every decision that nobody
has answered yet is asked for, the group is put back, and the round is tried again. The last try is
the round. All draws are those of a table with these rows: an agent that is a function of what it
sees leads to the bits to which its table leads.

Only rows of decisions that were reached are asked for. In the round past the end of an episode or a
batch, whose rewards do not count, a live seat plays the row that it answered last at what it sees,
or its fallback.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from tacit.agents.batch.group import BatchGroup
from tacit.agents.external.config import is_live
from tacit.agents.external.doors.answers import FAILED, ILLEGAL, REFUSAL, TIME_OUT
from tacit.agents.external.fallback import fallback_table
from tacit.agents.external.fixed_seat import FixedSeat
from tacit.agents.policy import PolicyTable
from tacit.agents.tabular.group import TabularGroup
from tacit.agents.tabular.recording import Recording, build_recording
from tacit.agents.tabular.seed_state import copy_into
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market, Seat
from tacit.envs.types import Floats, Ints

from .answers import AnswerSource, LiveAnswer, LiveDecision

# What is counted of a live seat, in the order of its counts.
COUNTED = ("answers", "partly illegal", "refusals", "illegal", "time-outs", "failures", "restarts")
_PARTLY, _RESTARTS = 1, 6
_OF_KIND = {REFUSAL: 2, ILLEGAL: 3, TIME_OUT: 4, FAILED: 5}
PREFIX = "live."  # begins the names of this group's own arrays in states


def live_seats(market: Market, configs: Mapping[str, BaseModel]) -> list[Seat]:
    """The seats whose agents are live."""
    return [s for s in market.seats if is_live(configs.get(s.name))]


def as_fixed(market: Market, configs: Mapping[str, BaseModel]) -> dict[str, BaseModel]:
    """Configs in which live agents are tables of their fallbacks, for the group within.

    Raises:
        ConfigError: a fallback that is no action.
    """
    return {
        **configs,
        **{
            seat.name: FixedSeat.of(fallback_table(seat, configs[seat.name]))
            for seat in live_seats(market, configs)
        },
    }


class LiveGroup:
    """A `tacit.agents.group.Group` around another one that holds all learners.

    Attributes:
        source: gives the answers; None: nobody does, so nothing can be played.
        market, rows, figures: those of the group within.
    """

    def __init__(self, inner: TabularGroup | BatchGroup, configs: Mapping[str, BaseModel]) -> None:
        """Put live agents into their seats.

        Args:
            inner: made with `as_fixed` of these configs, with one copy.
            configs: agents by seat name.

        Raises:
            ConfigError: several copies, or a fallback that is no action.
        """
        self._inner, self.market, self.rows = inner, inner.market, inner.rows
        if len(self.rows.state) > 1:
            raise ConfigError(ONE_COPY)
        self.figures = inner.figures
        self.source: AnswerSource | None = None
        self._seats = live_seats(self.market, configs)
        self._fallbacks = {s.name: fallback_table(s, configs[s.name]) for s in self._seats}
        self._own: dict[str, NDArray[Any]] = {}
        for seat in self._seats:
            self._own[f"{PREFIX}{seat.name}.last"] = self._fallbacks[seat.name].copy()
            self._own[f"{PREFIX}{seat.name}.counts"] = np.zeros(len(COUNTED), np.int64)
        self._write_tables()

    # --- rounds ----------------------------------------------------------------------------------

    def run(self, rounds: int, recording: Recording | None = None) -> int:
        """Play and learn up to so many rounds, as `Group.run` says.

        Raises:
            ConfigError: there is no answer to a decision; then the group is as it was before that
                round.
        """
        done = 0
        while done < rounds and not self.stopped and not (done and self.halt[0]):
            self._play_round(recording)
            done += 1
        return done

    def _play_round(self, recording: Recording | None) -> None:
        """One round, of which every decision of a live seat is answered."""
        if recording is None:
            recording = build_recording(self._inner.seed_state.game, self.rows, 1)
        row, number = int(recording.recorded[0]), self.rounds
        before, figures = self.state(), dict(self.figures)
        answered: dict[LiveDecision, LiveAnswer] = {}
        while True:
            self._inner.run(1, recording)
            due = self._unanswered(recording, row, number, answered)
            if due is None:
                break
            self.load(before)
            self.figures.clear()
            self.figures.update(figures)
            recording.recorded[0] = row
            for decision, answer in answered.items():
                self._put(decision, answer)
            answered[due] = self._ask(due)
            self._put(due, answered[due])
        for decision, answer in answered.items():
            self._count(decision.seat, answer)

    def _unanswered(
        self,
        recording: Recording,
        row: int,
        number: int,
        answered: Mapping[LiveDecision, LiveAnswer],
    ) -> LiveDecision | None:
        """The first decision of a live seat in a recorded round that has no answer yet."""
        for phase in range(recording.observations.shape[2]):
            for seat in self._seats:
                o = int(recording.observations[row, 0, phase, seat.index])
                if o < 0 or seat.role.legal[o, 1] < 2:
                    continue
                decision = LiveDecision(number, phase, seat.name, o)
                if decision not in answered:
                    return decision
        return None

    def _ask(self, decision: LiveDecision) -> LiveAnswer:
        """The answer to a decision.

        Raises:
            ConfigError: there is none, or it has another number of actions.
        """
        if self.source is None:
            raise ConfigError(
                f"agents.{decision.seat}: is a live agent: what it does is not known before it is "
                "asked, and nothing was run."
            )
        found = self.source.answer(decision)
        legal = int(self.market.seat(decision.seat).role.legal[decision.observation, 1])
        if len(found.row) != legal:
            raise ConfigError(
                f"agents.{decision.seat}: an answer about {len(found.row)} actions, but {legal} "
                f"are legal in round {decision.round:,}."
            )
        return found

    # --- rows ------------------------------------------------------------------------------------

    def _put(self, decision: LiveDecision, answer: LiveAnswer) -> None:
        """Have the seat play an answer; what fell on no legal action falls on the fallback."""
        seat, o = self.market.seat(decision.seat), decision.observation
        first, count = (int(x) for x in seat.role.legal[o])
        row = np.zeros(seat.role.actions)
        row[first : first + count] = answer.row
        missing = 1.0 - float(answer.row.sum())
        if missing > MISSED:
            row += missing * self._fallbacks[seat.name][o]
        self._own[f"{PREFIX}{seat.name}.last"][o] = row
        self._write_row(seat, o, row)

    def _write_row(self, seat: Seat, o: int, row: Floats) -> None:
        """Have the compiled loops play a row of probabilities `[A]`, as `cumulative` writes it."""
        q_arrays, actions = self._inner.seed_state.q_arrays, seat.role.actions
        cell = int(q_arrays.first_cell[seat.index]) + o * actions
        whole = np.cumsum(row)
        whole[int(seat.role.legal[o].sum()) - 1 :] = 1.0
        q_arrays.cumulative[cell : cell + actions] = whole

    def _write_tables(self) -> None:
        for seat in self._seats:
            for o, row in enumerate(self._own[f"{PREFIX}{seat.name}.last"]):
                self._write_row(seat, o, row)

    def _count(self, seat: str, answer: LiveAnswer) -> None:
        counts = self._own[f"{PREFIX}{seat}.counts"]
        counts[0] += 1
        counts[_RESTARTS] += answer.restarts
        if answer.kind in _OF_KIND:
            counts[_OF_KIND[answer.kind]] += 1
        elif 1.0 - float(answer.row.sum()) > MISSED:
            counts[_PARTLY] += 1

    def counts(self) -> dict[str, dict[str, int]]:
        """What was counted of every live seat, by the names in COUNTED."""
        return {
            seat.name: dict(
                zip(COUNTED, self._own[f"{PREFIX}{seat.name}.counts"].tolist(), strict=True)
            )
            for seat in self._seats
        }

    # --- what training asks for ------------------------------------------------------------------

    @property
    def halt(self) -> Ints:
        """Set to 1 by another thread: `run` returns after the round under way; int64 `[1]`."""
        return self._inner.halt

    @property
    def rounds(self) -> int:
        """Rounds since training began."""
        return self._inner.rounds

    @property
    def stop_after(self) -> int:
        """Rounds of unchanged greedy policies after which the group stops; 0: never."""
        return self._inner.stop_after

    @property
    def stable_rounds(self) -> int:
        """Rounds since a greedy policy last changed."""
        return self._inner.stable_rounds

    @property
    def stopped(self) -> bool:
        """Whether the stopping rule is met."""
        return self._inner.stopped

    @property
    def rounds_since_read(self) -> int:
        """Rounds since the last reading."""
        return self._inner.rounds_since_read

    def read(self) -> tuple[Floats, Floats]:
        """Mean measures `[S + 1, M]` and scores `[T + S]` per round since the last reading."""
        return self._inner.read()

    def tables(self) -> list[PolicyTable]:
        """Every seat's policy, float64 `[O, A]` each; of a live seat what it answered last at every
        observation, and its fallback where it never was: no policy of the agent's."""
        found = self._inner.tables()
        for seat in self._seats:
            found[seat.index] = self._own[f"{PREFIX}{seat.name}.last"].copy()
        return found

    # --- saving ----------------------------------------------------------------------------------

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of everything that changes, by the names used in checkpoints."""
        return self._inner.state() | {name: array.copy() for name, array in self._own.items()}

    def load(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken, as far as the answers are the same.

        Raises:
            ValueError: the state does not fit this configuration.
        """
        self._inner.load({k: v for k, v in state.items() if not k.startswith(PREFIX)})
        copy_into(self._own, state)
        self._write_tables()

    def warm_start_from(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Not for live agents: configurations that ask for it are refused.

        Raises:
            ValueError: always.
        """
        raise ValueError("a live agent cannot begin where another run ended")

    def branch_from(self, state: Mapping[str, NDArray[Any]], forget: bool = False) -> None:
        """Not for live agents, which cannot be put back: such acts are refused.

        Raises:
            ValueError: always.
        """
        raise ValueError("a live agent cannot be put back, so no branch begins")

    def learner_part(self, state: Mapping[str, NDArray[Any]], seat: str) -> dict[str, NDArray[Any]]:
        """What the learner of a seat knows in a state, as `Group.learner_part` says."""
        return self._inner.learner_part(state, seat)


MISSED = 1e-9  # by how much an answer's probabilities may miss 1 and still count as whole
ONE_COPY = "train.copies: must be 1 with a live agent, which plays one market at a time."
