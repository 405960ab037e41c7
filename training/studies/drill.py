"""`tacit drill`: whether the breakers of a configuration do what they say, tried in seconds.

Every breaker is put alone into a short training of its arm, in a temporary folder. Its band is
turned so that every reading is outside, so it is known at which evaluation point it must trip. The
same training without it says what every state must be, bit for bit. Nothing is asked of the rule
that a training could not show: the drill runs what `tacit train` runs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tacit.agents.batch.config import batch_rounds
from tacit.agents.exchange import learner_hash, with_learners
from tacit.agents.group import Group
from tacit.agents.tabular.recording import Recording, build_recording
from tacit.envs.engine.game_arrays import build_game
from tacit.envs.errors import ConfigError
from tacit.envs.shown import carried_over
from tacit.oversight import ledger as ledgers
from tacit.oversight.observed_data import remembered_parts, rival_parts
from tacit.training.config.arms import Arm
from tacit.training.config.breaker_settings import (
    PAUSE,
    ROLLBACK,
    STOP,
    BreakerConfig,
    RedirectConfig,
)
from tacit.training.config.in_force import arm_in_force, stream_in_force
from tacit.training.config.redirecting import NOTHING, OFF
from tacit.training.record.replay import differing_arrays
from tacit.training.runs.arm_points.exchange import source
from tacit.training.runs.arm_points.together import train_together
from tacit.training.runs.branches import branch_group
from tacit.training.runs.breakers import TRIPPED
from tacit.training.runs.seed_run import Repetition
from tacit.training.storage.keyframes import State, file_name
from tacit.training.storage.run_folder import RunFolder

POINT = 200  # rounds between two evaluation points, of arms without networks
UNREACHED = 1e100  # the lower end of a band in which no reading lies
LOOKED_AT = 20  # rounds that are played to read from their rewards which weights are in force
LEDGER_FIRST, ROUND, EXACT = "ledger first", "at its point", "exact"
IN_FORCE = "redirect in force"
CHECKS = (ROUND, EXACT, IN_FORCE, LEDGER_FIRST)  # columns


@dataclass
class DrillRow:
    """What the drill of one breaker has shown.

    Attributes:
        arm: of the configuration.
        breaker: its name.
        action: what it does.
        round: at which it tripped in the drill; None: it did not.
        wrong: by check, what is not so; empty where all is.
        untried: checks that could not be made, as an earlier one has failed.
    """

    arm: str
    breaker: str
    action: str
    round: int | None = None
    wrong: dict[str, str] = field(default_factory=dict)
    untried: tuple[str, ...] = ()

    @property
    def applies(self) -> tuple[str, ...]:
        """The checks that this action has."""
        return tuple(c for c in CHECKS if c != IN_FORCE or self.action == ROLLBACK)

    def cells(self) -> dict[str, str]:
        """The row as text by column."""
        told = {c: "not tried" if c in self.untried else "yes" for c in self.applies}
        told |= dict.fromkeys(self.wrong, "NO")
        tripped = "never" if self.round is None else f"{self.round:,}"
        start = {"arm": self.arm, "breaker": self.breaker, "action": self.action}
        return {**start, "tripped at": tripped, **{c: told.get(c, "-") for c in CHECKS}}

    def plain(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "arm": self.arm,
            "breaker": self.breaker,
            "action": self.action,
            "tripped_at": self.round,
            "checks": {
                c.replace(" ", "_"): None if c in self.untried else c not in self.wrong
                for c in self.applies
            },
            "wrong": list(self.wrong.values()),
        }


def drill(arm: Arm) -> Iterator[DrillRow]:
    """Drill every breaker of an arm.

    Raises:
        ConfigError: the arm cannot be trained.
    """
    for name, breaker in arm.breakers.items():
        row = DrillRow(arm.name, name, breaker.action)
        with tempfile.TemporaryDirectory() as folder, threadpool_limits(limits=1):
            _Drill(arm, name, breaker, Path(folder), row).run()
        yield row


class _Drill:
    """One breaker in a folder of its own."""

    def __init__(
        self, arm: Arm, name: str, breaker: BreakerConfig, folder: Path, row: DrillRow
    ) -> None:
        self.name, self.folder, self.row = name, folder, row
        every = max(POINT, batch_rounds(arm.agents))
        # One point more than it needs, so that a state is kept before it trips.
        self.points = breaker.points + 1
        self.due = self.points * every
        rounds = self.due + every
        train = arm.train.model_copy(
            update={
                "rounds": rounds, "measure_last": every, "evaluate_every": every,
                "starts_from": None,
            }
        )  # fmt: skip
        keys: dict[str, Any] = {"low": UNREACHED, "high": None, "from_": 0, "points": self.points}
        if breaker.action == ROLLBACK:
            keys |= {"to": 1, "times": 1}
        tried = {name: breaker.model_copy(update=keys)}
        # Of an arm's breaker as many seeds as an exchange of partners needs, so that none meets one
        # again with whom it has learned.
        self.seeds = min(arm.seeds, max(2, len(arm.market.seats))) if breaker.is_of_arm else 1
        self.plain = _short(arm, train, {}, self.seeds)
        self.arm = _short(arm, train, tried, self.seeds)
        self.k = 0  # the seed that is looked at

    def run(self) -> None:
        """Try everything, and note what is not so."""
        known = [self._states(k) for k in range(self.seeds)]
        every = train_together(self.tried, self.arm)
        if not all(repetition.breakers.trips for repetition in every):
            watch = self.arm.breakers[self.name].watch
            self.row.wrong[ROUND] = f"it never tripped: {watch} was withheld (NaN) or is not read"
            self.row.untried = (EXACT, IN_FORCE, LEDGER_FIRST)
            return
        self.row.round = int(every[0].breakers.trips[0]["round"])
        for self.k, repetition in enumerate(every):
            at = int(repetition.breakers.trips[0]["round"])
            if at != self.due:
                self._note(ROUND, f"tripped at round {at}, not at {self.due}")
            if self.row.action == ROLLBACK:
                self._check_rollback(repetition, known)
            else:
                self._check_end(repetition, known[self.k])
        if self.row.action == PAUSE and EXACT not in self.row.wrong:
            self._check_held(known)
        self._check_ledger([repetition.breakers.trips[0] for repetition in every])

    @property
    def tried(self) -> RunFolder:
        """The folder of the training with the breaker."""
        return RunFolder(self.folder / "tried")

    def _note(self, check: str, text: str) -> None:
        """Note what is not so; of a check the first finding counts."""
        begin = f"seed {self.k}: " if self.seeds > 1 else ""
        self.row.wrong.setdefault(check, f"{begin}{text}")

    def _states(self, k: int) -> dict[int, State]:
        """The state at every evaluation point of the same training without the breaker."""
        group, found = self.plain.group(k), dict[int, State]()
        every = self.plain.train.evaluate_every or 1
        for rounds in range(every, self.plain.train.rounds + 1, every):
            group.run(every)
            group.read()
            found[rounds] = group.state()
        return found

    # --- stop and pause --------------------------------------------------------------------------

    def _check_end(self, repetition: Repetition, known: dict[int, State]) -> None:
        """A repetition that was stopped or held is where it tripped, and nothing of it is lost."""
        is_held = repetition.breakers.paused == self.name
        if self.row.action == PAUSE and not is_held:
            self._note(ROUND, "it is not held")
        if self.row.action == STOP and not repetition.breakers.stopped:
            self._note(ROUND, "it is not stopped")
        if repetition.group.rounds != self.due:
            self._note(ROUND, f"training went on to round {repetition.group.rounds}")
        self._compare(repetition.group.state(), known[self.due])

    def _check_held(self, known: list[dict[int, State]]) -> None:
        """What is held stays so until it is released, and goes on to the same end then."""
        again = train_together(self.tried, self.arm)
        for self.k, saved in enumerate(again):
            self._compare(saved.group.state(), known[self.k][self.due])
            if saved.breakers.paused != self.name:
                self._note(ROUND, "it went on without being released")
        released = train_together(self.tried, self.arm, _released)
        for self.k, ended in enumerate(released):
            self._compare(ended.group.state(), known[self.k][self.plain.train.rounds])

    def _compare(self, state: State, known: State) -> None:
        """Whether a state is, bit for bit, what it must be."""
        if names := differing_arrays(state, known):
            self._note(EXACT, f"differs from the training without it: {', '.join(names)}")

    # --- rollback --------------------------------------------------------------------------------

    def _check_rollback(self, repetition: Repetition, every_known: list[dict[int, State]]) -> None:
        """What the branch began with, and what is in force in it."""
        trips, row, known = repetition.breakers.trips, self.row, every_known[self.k]
        to, every = trips[0]["to"], self.plain.train.evaluate_every or 1
        if to != self.due - every:
            size = sum(array.nbytes for array in known[every].values())
            self._note(
                EXACT,
                f"went back to round {to}, not to {self.due - every}: a state has {size:,} bytes, "
                f"record.keyframe_bytes is {self.arm.record.keyframe_bytes:,}",
            )
            row.untried = (IN_FORCE,)
            return
        changes = self.arm.breakers[self.name].changes
        begun = branch_group(self.tried, self.arm, self.k, trips, 1)
        state = begun.state()
        expected = known[to]
        if changes.partners:
            expected = self._with_partners(begun, state, [own[to] for own in every_known])
        expected = carried_over(begun.market, expected)  # what seats are shown may be other
        forgotten = set(differing_arrays(state, expected))
        taken_over = [name for name in forgotten if name.startswith("rows.")]
        if (forgotten and not changes.forget) or taken_over or begun.rounds != to:
            names = taken_over or sorted(forgotten)
            self._note(EXACT, f"the branch does not begin with the kept state: {', '.join(names)}")
        # The group that went on is the one that began so, played on.
        while begun.rounds < repetition.group.rounds and begun.run(every):
            begun.read()
        if differing_arrays(repetition.group.state(), begun.state()):
            self._note(EXACT, "the branch did not go on from the state that it began with")
        self._check_redirect(repetition.group, state, expected, trips[0])

    def _with_partners(self, begun: Group, state: State, kept: list[State]) -> State:
        """The kept state with learners of other seeds, as the training without the breaker has it.

        Args:
            begun: the group with which the branch begins.
            state: its state.
            kept: of every seed, the state to which all go back.
        """
        others: dict[str, State] = {}
        for seat, learns in zip(self.arm.market.seats, self.arm.learned, strict=True):
            if not learns:
                continue
            seed = source(range(self.seeds), self.k, seat.index)
            others[seat.name] = kept[seed]
            before = learner_hash(begun, kept[seed], seat.name)
            forgets = self.arm.breakers[self.name].changes.forget
            if not forgets and learner_hash(begun, state, seat.name) != before:
                self._note(IN_FORCE, f"the learner of {seat.name} is not that of seed {seed}")
        return with_learners(begun, kept[self.k], others)

    def _check_redirect(self, group: Group, state: State, kept: State, trip: Any) -> None:
        """Read from the group that goes on what it plays under."""
        trips = [{"breaker": self.name, "action": ROLLBACK}]
        expected, wrong = arm_in_force(self.arm, trips), []
        if group.market.config != expected.market.config:
            wrong.append("its market is not the one of the redirect")
        if self.arm.breakers[self.name].changes.forget:
            first = arm_in_force(self.arm, trips).group(self.k).state()
            learned = [n for n in first if n == "q_arrays.q" or n.startswith("learner.")]
            if not stream_in_force(self.arm, trips) and differing_arrays(
                {n: first[n] for n in learned}, {n: state[n] for n in learned if n in state}
            ):
                wrong.append("what was learned is not forgotten")
        game = build_game(expected.market, expected.kpi)
        recording = build_recording(game, group.rows, LOOKED_AT)
        before = group.state()
        group.run(LOOKED_AT, recording)
        wrong += _wrongly_shown(self.arm, self.arm.breakers[self.name].changes, recording)
        if self.arm.breakers[self.name].changes.updates and not _learns_all(before, group.state()):
            wrong.append("agents update one action a round")
        if misses := _wrong_rewards(expected, recording.scores):
            wrong.append(f"the rewards of {', '.join(misses)} are not by the redirect's weights")
        if stream_in_force(self.arm, trips):
            plain = self.plain.group(self.k)
            plain.load(kept)
            other = branch_group(self.tried, self.arm, self.k, [trip], 1)
            played = []
            for each in (plain, other):
                each.run(LOOKED_AT, own := build_recording(game, each.rows, LOOKED_AT))
                played.append(own.actions.tobytes())
            if played[0] == played[1]:
                wrong.append("its draws are the ones that were made before")
        if wrong:
            self._note(IN_FORCE, "; ".join(wrong))

    # --- ledger ----------------------------------------------------------------------------------

    def _check_ledger(self, trips: list[Any]) -> None:
        """The acts are in the ledger, and where they cannot be written there, have no effect."""
        path = self.tried.ledger
        acts = [e for e in ledgers.read(path) if e["act"] == TRIPPED] if path.exists() else []
        for self.k, trip in enumerate(trips):
            expected = {"arm": self.arm.name, "seed": self.k, **trip}
            if not any(all(act.get(key) == x for key, x in expected.items()) for act in acts):
                self._note(LEDGER_FIRST, "the ledger has no such act")
                return
        if ledgers.first_broken(path) is not None:
            self.row.wrong[LEDGER_FIRST] = "the ledger is no whole chain"
            return
        run, refused = RunFolder(self.folder / "shut"), list[ConfigError]()
        run.ledger.mkdir(parents=True)  # a folder in its place: nothing can be written there
        every = train_together(run, self.arm, refused=refused)
        if len(refused) < self.seeds:
            self.row.wrong[LEDGER_FIRST] = "it went on although the act could not be written"
            return
        # Before learners are exchanged, kept states are written, so that others can read them.
        keeps = self.arm.breakers[self.name].changes.partners is not None
        for self.k, repetition in enumerate(every):
            left = run.seed(self.arm.name, self.k) / file_name(0)
            went_on = repetition.group.rounds != self.due
            if went_on or repetition.breakers.trips or (left.exists() and not keeps):
                self._note(LEDGER_FIRST, "it had an effect before the act was written")


def _released(repetition: Repetition) -> None:
    """Let a repetition that is held go on, without a ledger."""
    repetition.breakers.paused = None


def _short(arm: Arm, train: Any, breakers: dict[str, BreakerConfig], seeds: int) -> Arm:
    """An arm with another training, other breakers, and so many seeds."""
    plain = {**arm.plain, "train": train.model_dump(mode="json"), "seeds": seeds}
    plain["breakers"] = {name: own.model_dump(mode="json") for name, own in breakers.items()}
    return replace(arm, train=train, breakers=breakers, plain=plain, seeds=seeds)


def _wrong_rewards(arm: Arm, scores: Any) -> list[str]:
    """Seats whose rewards are not the sum of their terms by the weights of an arm.

    Args:
        arm: whose weights.
        scores: unweighted terms, then rewards, float64 `[R, N, T + S]`.
    """
    terms = [(seat.name, term) for seat in arm.market.seats for term in arm.kpi[seat.name].values()]
    wrong = []
    for seat in arm.market.seats:
        expected = sum(
            (term.weight * scores[:, :, n] for n, (name, term) in enumerate(terms)
             if name == seat.name), start=np.zeros(scores.shape[:2]),
        )  # fmt: skip
        if not np.allclose(scores[:, :, len(terms) + seat.index], expected, rtol=1e-9, atol=1e-12):
            wrong.append(seat.name)
    return wrong


def _wrongly_shown(arm: Arm, changes: RedirectConfig, recording: Recording) -> list[str]:
    """Seats to which something was shown, in recorded rounds, that a redirect hides or makes older.

    What was so is read from the recorded states, by the market's own kernels.
    """
    market, wrong = arm.market, []
    observe = import_module(market.kernels).observe
    for seat in market.seats:
        rivals = rival_parts(market, seat)
        constant = set(remembered_parts(market, seat)) if changes.memory == OFF else set()
        constant |= set(rivals) if changes.rivals_data == NOTHING else set()
        older = changes.rivals_data if isinstance(changes.rivals_data, int) else 0
        shown = recording.observations[:, 0, 0, seat.index]
        if not (constant or older) or (shown < 0).all():
            continue
        told = [seat.role.decode_observation(int(o)) for o in shown]
        states = recording.states[:, 0, : market.state_width]
        true = [observe(market.kernel_params, state, 0, seat.index) for state in states]
        so = [seat.role.decode_observation(int(o)) for o in true]
        if any(len({round_[part] for round_ in told}) > 1 for part in constant if part in told[0]):
            wrong.append(f"{seat.name} is shown what is hidden")
        late = older - min(rivals.values(), default=0)
        if older and any(
            told[n][part] != so[n - late][part] for part in rivals for n in range(late, len(told))
        ):
            wrong.append(f"what {seat.name} sees of rivals is not {older} rounds old")
    return wrong


def _learns_all(before: State, after: State) -> bool:
    """Whether more Q values have changed than one seat and round."""
    seats = before["q_arrays.pending"].shape[1]
    changed = int((before["q_arrays.q"] != after["q_arrays.q"]).sum())
    return changed > LOOKED_AT * int(seats)
