"""Any round of a trained repetition, played again from the keyframe before it.

    replay = SeedReplay(run, arm, 0)
    replay.go_to(500_000)
    recording = replay.record(1_000)      # rounds 500,000 to 500,999, as training played them

A replay is a group of its own. It reads the run and writes nothing, so it touches neither what was
learned nor a draw of training. Where a breaker has rolled the repetition back, it replays one
branch: what that began with follows from the configuration and the state that was kept.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise

import numpy as np

from tacit.agents.batch.config import BatchConfig
from tacit.agents.group import Group
from tacit.agents.live.group import LiveGroup
from tacit.agents.tabular.recording import Recording, build_recording, recording_bytes
from tacit.envs.engine.game_arrays import GameArrays, build_game
from tacit.envs.errors import ConfigError
from tacit.training.acts.forcing import (
    ForcedAction,
    check_forced,
    forced_in,
    play_forced,
    put_forced,
)
from tacit.training.config.arms import Arm
from tacit.training.config.in_force import PERSON, arm_in_force, rollbacks
from tacit.training.runs.branches import branch_group, branches_in, trips_of
from tacit.training.runs.evaluation import evaluation_points
from tacit.training.runs.partial import NAME as SAVE
from tacit.training.runs.partial import take_apart
from tacit.training.storage import checkpoint
from tacit.training.storage.keyframes import State, read_keyframes
from tacit.training.storage.live.answers_file import recorded_answers
from tacit.training.storage.load_run import put_into
from tacit.training.storage.machine import machine
from tacit.training.storage.run_folder import RunFolder

MOST_BYTES = 200_000_000  # that one recording may take
STRETCH = 100_000  # rounds over all copies between two reports of progress

Report = Callable[[int], None]  # receives rounds that were played since the last report


class SeedReplay:
    """One repetition of a run, or one branch of it, at any of its rounds.

    Attributes:
        arm, k: which repetition; the arm has the KPI and the market in force in the branch.
        branch: which branch.
        marks: its states by rounds played, ascending: keyframes, and the end of training. The state
            at the first round is not among them; it follows from the configuration.
        first: rounds played when the branch began.
        end: rounds of its training, per copy, when it ended or was left.
        speed: seconds that one round of all copies took in training.
        group: its learners and market, as they were after `round` rounds.
    """

    def __init__(
        self,
        run: RunFolder,
        arm: Arm,
        k: int,
        branch: int | None = None,
        under_way: bool = False,
    ) -> None:
        """Read what is needed; nothing is played yet.

        Args:
            run: the run.
            arm: of the run, as it was configured.
            k: the repetition.
            branch: which branch; None: the last one, which training ended with.
            under_way: a repetition that is not finished is played again up to its last save.

        Raises:
            ConfigError: the repetition is not finished, has no such branch, or its files cannot be
                read.
        """
        self._run, self._configured, self.k = run, arm, k
        path = run.checkpoint(arm.name, k)
        is_saved = under_way and checkpoint.read_record(path) is None
        if is_saved:
            path = run.inside(arm.name, f"s{k}", SAVE)
        last, record = checkpoint.load(path)
        if not arm.same(record.get("arm", {})):
            raise ConfigError(f"{path}: is of another configuration than arm {arm.name}.")
        self._path, self._trips = path, trips_of(record.get("breakers", {}) if is_saved else record)
        changes = {"forced": record.get("acts", {}).get("played", [])} if is_saved else record
        self._forced = forced_in(changes)
        self._orderers = [str(change.get(PERSON)) for change in changes.get("forced", [])]
        branches = branches_in(self._trips, arm, path)
        self.branch = len(branches) - 1 if branch is None else branch
        if not 0 <= self.branch < len(branches):
            raise ConfigError(
                f"DEAL: there is no branch {branch} of seed {k} of arm {arm.name}; the last one is "
                f"{len(branches) - 1}."
            )
        _, _, self.first, left = branches[self.branch]
        self._was_left = left is not None
        self.end = int(record["rounds"]) if left is None else left
        self.arm = arm_in_force(arm, rollbacks(self._trips)[: self.branch])
        theirs, here = record.get("machine") or {}, machine()
        other = [key for key in here if theirs.get(key) != here[key]]
        self._machine = f"; trained with other {', '.join(other)}" if other else ""
        ends = [int(record["rounds"]) if b.end is None else b.end for b in branches]
        played = sum(end - b.start for b, end in zip(branches, ends, strict=True))
        self.speed = float(record["seconds"]) / max(1, played)
        self._is_read_at_end = True
        if is_saved and left is None:
            # A save holds the keyframes of its branch, and the evaluation points read so far.
            saved = take_apart(last, path)
            self.marks: dict[int, State] = saved.keyframes
            self._is_read_at_end = arm.first_round + saved.read == self.end
        else:
            self.marks = read_keyframes(run.seed(arm.name, k), self.branch)
        if left is None:
            self.marks[self.end] = last
        self.group: Group = self._first_group()
        self.game: GameArrays = build_game(self.arm.market, self.arm.kpi)
        self._points = evaluation_points(arm.train)

    @property
    def round(self) -> int:
        """Rounds that were played before the present state."""
        return self.group.rounds

    def rounds_to(self, round_: int) -> int:
        """Rounds per copy that must be played to reach the state before a round."""
        return round_ - max(self._start(round_), self.round if self.round <= round_ else 0)

    def go_to(self, round_: int, report: Report | None = None) -> None:
        """Be in the state before a round, counted from 0.

        Args:
            round_: the round; the end of training is the state after its last one.
            report: receives progress.

        Raises:
            ConfigError: training did not go so far, or a state does not fit the configuration.
        """
        self._check(round_)
        start = self._start(round_)
        if not start <= self.round <= round_:
            self._load(start)
        self._play(round_, report)

    def record(self, rounds: int) -> Recording:
        """Play so many rounds of all copies and keep them; fewer where training ended.

        Raises:
            ConfigError: they take more memory than a recording may.
        """
        rounds = min(rounds, self.end - self.round)
        room = self.room
        if rounds > room:
            raise ConfigError(
                f"{rounds:,} rounds of {len(self.group.rows.state):,} copies cannot be recorded at "
                f"once; {room:,} can."
            )
        whole = build_recording(self.game, self.group.rows, rounds)
        while whole.recorded[0] < rounds:
            first = int(whole.recorded[0])
            count = min(rounds - first, self._next_point() - self.round, self._until_forced())
            if forced := self._ordered():
                check_forced(self.group, self.arm, forced)
                put_forced(whole, forced, first)
            self.group.run(count, whole)
            self._read()
        return whole

    def record_forced(self, copy: int, forced: Mapping[tuple[int, int], int]) -> Recording:
        """Play one round in which some actions are not those that seats choose.

        What a person has overridden in this round stays so. Every draw is the one of training. The
        group has then learned from what it did not choose, so the caller puts it back into the
        state before.

        Args:
            copy: the copy in which actions are forced.
            forced: actions by phase and seat's index; empty: the round as it was.

        Raises:
            ConfigError: an action that a person has ordered, by the record, is not legal there.
        """
        recording = build_recording(self.game, self.group.rows, 1, with_values=True)
        if ordered := self._ordered():
            check_forced(self.group, self.arm, ordered)
            put_forced(recording, ordered, 0)
        for (phase, seat), action in forced.items():
            recording.forced[0, copy, phase, seat] = action
        self.group.run(1, recording)
        return recording

    @property
    def room(self) -> int:
        """Rounds of all copies that one recording may hold."""
        return max(1, MOST_BYTES // recording_bytes(self.game, self.group.rows))

    def rounds_to_confirm(self, round_: int) -> int:
        """Rounds per copy from the state before a round to the next known state."""
        return min(rounds for rounds in self.marks if rounds >= round_) - round_

    def confirm(self, report: Report | None = None) -> str | None:
        """Play on to the next known state, and compare.

        Where bits differ (another type of machine, other versions, an altered keyframe), the rounds
        that were played are not those of the run.

        Args:
            report: receives progress.

        Returns:
            What is wrong, in words; None if the state is the one that was kept.
        """
        mark = self.round + self.rounds_to_confirm(self.round)
        self._play(mark, report)
        names = differing_arrays(self.group.state(), self.marks[mark])
        if not names:
            return None
        return (
            f"seed {self.k} of arm {self.arm.name}: played again, it does not come to the state "
            f"that was kept after {mark:,} rounds ({names[0]} differs{self._machine}); so these "
            "rounds are not exactly those of the run"
        )

    # --- verification ----------------------------------------------------------------------------

    def intervals(self) -> list[tuple[int, int]]:
        """Rounds from one known state to the next, from the beginning to the end."""
        return list(pairwise([self.first, *self.marks]))

    def differing(self, first: int, last: int, report: Report | None = None) -> list[str]:
        """Play from one known state to the next; the arrays that differ from what is stored.

        Args:
            first: an interval's first rounds.
            last: its last.
            report: receives progress.

        Returns:
            Names of arrays, empty if every bit is the same.

        Raises:
            ConfigError: a state does not fit the configuration.
        """
        self._load(first)
        self._play(last, report)
        return differing_arrays(self.group.state(), self.marks[last])

    # --- on the way ------------------------------------------------------------------------------

    def _check(self, round_: int) -> None:
        if not self.first <= round_ <= self.end:
            of = f"branch {self.branch} of " if self._trips else ""
            since = f"from round {self.first:,} to" if self.first else "for"
            raise ConfigError(
                f"round {round_:,}: {of}seed {self.k} of arm {self.arm.name} was trained {since} "
                f"{self.end:,} rounds."
            )

    def _start(self, round_: int) -> int:
        """The rounds of the last known state at or before a round."""
        known = [self.first, *self.marks]
        return known[bisect_right(known, round_) - 1]

    def _load(self, rounds: int) -> None:
        """Go back or on to a known state."""
        if rounds == self.first:
            self.group = self._first_group()
        else:
            put_into(self.group, self.marks[rounds], self._path)

    def _first_group(self) -> Group:
        """The group with which the branch begins; live agents answer in it as was recorded."""
        group = branch_group(self._run, self._configured, self.k, self._trips, self.branch)
        if isinstance(group, LiveGroup):
            group.source = recorded_answers(self._run, self._configured, self.k)
        return group

    def _next_point(self) -> int:
        """The evaluation point that comes next."""
        return self._points[bisect_right(self._points, self.round)]

    def _play(self, round_: int, report: Report | None) -> None:
        """Play on to the state before a round."""
        copies = self.arm.train.copies
        while self.round < round_:
            most = max(1, STRETCH // copies) if report else round_
            asked = min(round_, self._next_point(), self.round + most) - self.round
            if forced := self._ordered():
                play_forced(self.group, self.arm, forced)
                count = 1
            else:
                count = self.group.run(min(asked, self._until_forced()))
            if report:
                report(count * copies)
            self._read()

    def _read(self) -> None:
        """Read the sums at an evaluation point, as training does: they begin anew there."""
        # A person may have begun a branch between two points: what was left then was not read.
        is_end = self.round == self.end and not self._was_left and self._is_read_at_end
        if self.round in self._points or is_end:
            self.group.read()

    def ordered_by(self, round_: int, copy: int) -> dict[tuple[int, int], str]:
        """Who ordered actions in a round of this branch, by phase and seat's index."""
        at = (self.branch, round_, copy)
        pairs = zip(self._forced, self._orderers, strict=True)
        return {(f.phase, f.seat): who for f, who in pairs if (f.branch, f.round, f.copy) == at}

    def _ordered(self) -> list[ForcedAction]:
        """The actions that a person has ordered for the next round."""
        return [f for f in self._forced if (f.branch, f.round) == (self.branch, self.round)]

    def _until_forced(self) -> int:
        """Rounds to the end of the next round that has such actions, or to its beginning."""
        later = [f.round for f in self._forced if f.branch == self.branch and f.round > self.round]
        return 1 if self._ordered() else min([self.end, *later]) - self.round


def load_learners(arms: Iterable[Arm]) -> None:
    """Import what the learners of arms need, before threads ask for it.

    Two threads that import torch at the same time find half of it.
    """
    for arm in arms:
        if any(isinstance(config, BatchConfig) for config in arm.agents.values()):
            arm.group(0)


def differing_arrays(state: State, stored: State) -> list[str]:
    """Names of arrays that are not the same bits in both states."""
    return [
        name
        for name in sorted(state.keys() | stored.keys())
        if name not in state
        or name not in stored
        or state[name].dtype != stored[name].dtype
        or state[name].shape != stored[name].shape
        or np.ascontiguousarray(state[name]).tobytes()
        != np.ascontiguousarray(stored[name]).tobytes()
    ]
