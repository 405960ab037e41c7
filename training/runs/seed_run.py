"""One repetition of one arm: trained in stretches, logged, measured at the end, saved.

A repetition is a group of agents that learn in one market (`tacit.agents.group`); its number k sets
its seed. Training is cut twice. At every *evaluation point* (`evaluation.py`) the means since the
last point are read and logged, and the quick probes run. Between two points the group plays in
stretches of half a second or so: after each of them a stop is noticed, and a save is written if one
is due. Where a stretch ends changes no bit of what is learned.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable
from math import isfinite
from typing import Any

from tacit.agents.live.answers import AnswerSource
from tacit.agents.live.group import LiveGroup
from tacit.agents.vendor import own_first_tables
from tacit.emergence.named_measures import named_measures
from tacit.emergence.play.limit_path import limit_path
from tacit.emergence.registry import probes_along_training
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.types import Floats
from tacit.oversight.card import policy_hashes
from tacit.training.acts.forcing import is_force, play_forced
from tacit.training.acts.forks import Standing
from tacit.training.acts.gate import LOOK, CarryOut, Gate, Order, Reply
from tacit.training.acts.protocol import ActRequest
from tacit.training.acts.schedule import Change
from tacit.training.acts.seed_acts import SeedActs
from tacit.training.config.arms import Arm
from tacit.training.outcome.final_measures import agent_steps, end_figures, final_measures
from tacit.training.outcome.probing import PlainFigures, figures_of, population_of, probe_seed
from tacit.training.outcome.training_curve import add_curve_point
from tacit.training.storage import checkpoint
from tacit.training.storage.atomic_files import file_hash
from tacit.training.storage.cards import POLICIES
from tacit.training.storage.finite import check_finite
from tacit.training.storage.keyframes import Keyframes
from tacit.training.storage.live.answers_file import (
    ANSWERS_SHA256,
    LIVE,
    answers_hash,
    live_answers,
)
from tacit.training.storage.machine import machine
from tacit.training.storage.run_folder import RunFolder
from tacit.training.storage.run_lock import writing_seed
from tacit.training.trust.live_doors import MakeSource

from .arm_points.points import ArmPoints
from .arm_points.slots import Slot
from .breakers import SeedBreakers
from .evaluation import evaluation_points, point_tags
from .partial import PartialSeed, SeedSaver
from .progress import SeedProgress

FIRST_STRETCH = 1_000  # rounds over all copies until a stop is looked for; then by the clock
LONG_STRETCH = 0.5  # seconds: one that took less is followed by one of twice the length
# Repetitions of an arm whose curves TensorBoard lists. It selects no curve by itself where there
# are more than 500, so the other repetitions' files have a name that it does not look for.
LISTED_SEEDS = 16

COMPILES = "it waits for its first round, for which loops may be compiled"

Report = Callable[[SeedProgress], None]


def train_seed(
    run: RunFolder,
    arm: Arm,
    k: int,
    report: Report,
    gate: Gate,
    points: ArmPoints | None = None,
    slot: Slot | None = None,
    live: MakeSource | None = None,
) -> dict[str, Any] | None:
    """Train repetition k of an arm, from where it was interrupted if it was.

    Args:
        run: the run's folder.
        arm: what is trained.
        k: the repetition.
        report: receives progress.
        gate: where it is held still, and told to save and return.
        points: of the arm, where a breaker judges all of its repetitions together.
        slot: its place among those that play; None: the caller has one as long as this takes.
        live: makes what gives the answers of live agents; None: only those that are kept are there.

    Returns:
        The repetition's record with every measure of the summary, which is on disk by then; None
        if it was stopped.

    Raises:
        ConfigError: a save cannot be continued here, or an agent cannot learn on.
    """
    with writing_seed(run, arm.name, k):
        try:
            with live_answers(run, arm, k, live) as answers:
                repetition = Repetition(run, arm, k, points, slot, answers)
                return _train_seed(repetition, run, report, gate)
        finally:
            if points is not None:
                points.leave(k)


def _train_seed(
    repetition: Repetition, run: RunFolder, report: Report, gate: Gate
) -> dict[str, Any] | None:
    """`train_seed`, while the repetition's lock is held."""
    arm, k = repetition.arm, repetition.k
    group, copies = repetition.group, arm.train.copies
    # Progress is counted in rounds over all copies. Rounds from before an interruption, and rounds
    # that are left over when agents stop by themselves, are reported as skipped: so the sum
    # reaches the total, and the speed that is shown counts only rounds that were played now.
    with repetition.events:
        report(SeedProgress(group.rounds * copies, float("nan"), skipped=True))
        if not repetition.train(report, gate):
            repetition.save()
            return None
        gate.close("has played its last round, and its end is being measured; no act reaches it.")
        if repetition.slot is not None:
            repetition.slot.take()
        record = repetition.finish()
    events, group = repetition.events.path, repetition.group
    record["events_sha256"] = {events.name: file_hash(events)}
    if arm.live:
        record[ANSWERS_SHA256] = answers_hash(run, arm, k)
    record["keyframes_sha256"] = repetition.breakers.keyframe_hashes(repetition.keyframes)
    # The save is removed only when the checkpoint is on disk, so a crash in between loses nothing.
    checkpoint.save(run.checkpoint(arm.name, k), group.state(), record)
    repetition.saver.clear()
    unplayed = arm.train.rounds - group.rounds
    report(SeedProgress(unplayed * copies, float("nan"), skipped=True))
    return record


def _next_stretch(rounds: int, seconds: float) -> int:
    """The length of the next stretch, after one of so many rounds that took so long."""
    if seconds > 2 * LONG_STRETCH:
        return rounds // 2
    return 2 * rounds if seconds < LONG_STRETCH else rounds


class Repetition:
    """A repetition under way.

    Attributes:
        arm, k: which one it is.
        group: its learners and its market.
        breakers: what ends, holds or rolls back the repetition.
        acts: what people change in it.
        saver: writes and reads the save from which an interrupted repetition continues.
        points: evaluation points read: the rounds that each covers, and mean measures, float64
            `[S + 1, M]`; row S is the market's own.
        curve: the quick probes' figures at every evaluation point.
        keyframes: its states at evaluation points, for replays.
        events: its TensorBoard event file, open.
        slot: its place among those that play, where it does not keep one all the time.
    """

    def __init__(
        self,
        run: RunFolder,
        arm: Arm,
        k: int,
        points: ArmPoints | None = None,
        slot: Slot | None = None,
        answers: AnswerSource | None = None,
    ) -> None:
        """Begin a repetition, or continue it from its save; arguments are those of `train_seed`.

        Raises:
            ConfigError: the save cannot be continued here, or the arm to start from is missing.
            ValueError: `points` are needed, and missing.
        """
        # slow to import, and a run in which no seed is due needs none
        from tacit.training.board.bands import banded_measures
        from tacit.training.board.event_file import EventFile

        self._began = time.perf_counter()
        self.arm, self.k, self.saver = arm, k, SeedSaver(run.seed(arm.name, k), arm, k)
        self.breakers = SeedBreakers(run, arm, k, self.saver.kept("breakers"), points)
        self.slot = slot
        self.acts = SeedActs(run.ledger, arm.name, k, self.saver.kept("acts"))
        self.group = self.breakers.group()
        if isinstance(self.group, LiveGroup):
            self.group.source = answers
        saved = self.saver.load(self.group)
        begun = saved or PartialSeed([], {}, 0.0, {}, Keyframes(arm.record.keyframe_bytes))
        self.points, self.curve, self._seconds_before = begun.points, begun.curve, begun.seconds
        self.keyframes = begun.keyframes
        banded = banded_measures(arm).values()
        self.events = EventFile(
            run.seed(arm.name, k), begun.events, listed=k < LISTED_SEEDS, curve_tags=banded
        )
        if saved is None and arm.train.starts_from is not None and not arm.live:
            # These agents have learned before. The curve begins with what the quick probes find in
            # them at round 0, before they learn under this arm's KPI.
            add_curve_point(self.curve, population_of(arm, k, self.group), 0)

    @property
    def seconds(self) -> float:
        """Seconds of work on this repetition so far, without the time between interruptions."""
        return self._seconds_before + time.perf_counter() - self._began

    @property
    def is_over(self) -> bool:
        """Whether training is over: all rounds are played, or agents or a breaker have stopped."""
        is_played = self.group.rounds >= self.arm.train.rounds
        return is_played or self.group.stopped or self.breakers.stopped

    def save(self) -> None:
        """Write what it needs to continue from here."""
        sizes = self.events.size()
        partial = PartialSeed(
            self.points, self.curve, self.seconds, sizes, self.keyframes, self.breakers.plain(),
            self.acts.plain(),
        )  # fmt: skip
        self.saver.save(self.group, partial)

    def train(self, report: Report, gate: Gate) -> bool:
        """Train to the end, reading at every evaluation point; False if it was stopped or
        paused on the way."""
        market, train = self.arm.market, self.arm.train
        points, stretch = evaluation_points(train), max(1, FIRST_STRETCH // train.copies)
        if self.arm.live:
            stretch = 1  # an answer may take seconds
        is_first = True
        self._attach(gate)
        self._join(gate)
        gate.tell(doing=COMPILES)

        def carry_out(order: Order) -> Reply:
            return self._carry_out(order, gate, report)

        while self._may_go_on(gate) and (self.breakers.is_undecided or not self.is_over):
            while change := self.acts.schedule.due(self.breakers.branch, self.group.rounds):
                self._change(change, gate, report)
            if gate.is_shut:
                self.save()  # whatever ends the process while it is held
            most = self._wait(gate, carry_out)
            if not most:
                return False
            if self.breakers.is_undecided:  # all others of the arm have come to this point
                self._act(gate, report)
                continue
            if self.breakers.paused:
                continue  # what was asked for has not released it
            group = self.group  # another one, if somebody has begun a branch meanwhile
            due = points[bisect_right(points, group.rounds)]
            began, asked = time.monotonic(), min(due - group.rounds, stretch, most)
            done = self._play(asked)
            if is_first:
                gate.tell(doing="")
                is_first = False
            if done == asked == stretch:
                stretch = max(1, _next_stretch(stretch, time.monotonic() - began))
            report(SeedProgress(done * train.copies, float("nan")))
            if group.rounds < due and not group.stopped:
                if self.saver.due:
                    self.save()
                continue
            # The point is read before the gate is asked again. A save made in between would hold
            # the rounds up to this point but not its reading, and the continued repetition would go
            # on to the next point without reading this one.
            measures = self._read_point()
            report(SeedProgress(0, float(measures[-1, market.columns[market.headline]])))
            self._act(gate, report)
        if not self.breakers.paused and self.breakers.member is not None:
            self.breakers.member.points.end(self.k)
        return not self.breakers.paused

    def _act(self, gate: Gate, report: Report) -> None:
        """Do what follows from the evaluation point that was read, as far as it is known by now."""
        self.breakers.act(self, report)
        self._attach(gate)
        if self.saver.due:
            self.save()

    def _join(self, gate: Gate) -> None:
        """Come to evaluation points together with the others of the arm, if a breaker asks it."""
        if self.breakers.member is not None:
            self.breakers.member.begin(gate.look_again)
            self.breakers.rejoin(self)
            gate.await_others(self.breakers.arm_state)

    def _wait(self, gate: Gate, carry_out: CarryOut) -> int:
        """Wait at the gate, without a place among those that play, and then for a place.

        Returns:
            What `Gate.wait` returns.
        """
        if self.slot is None:
            return gate.wait(self.group.rounds, carry_out)
        while True:
            self.slot.give_up()
            most = gate.wait(self.group.rounds, carry_out)
            if not most or self.slot.take(LOOK):
                return most

    def _may_go_on(self, gate: Gate) -> bool:
        """Whether no breaker holds the repetition, or it is to wait at its gate until then."""
        held = self.breakers.paused
        if held is None:
            return True
        if not (self.breakers.waits and gate.is_attended):
            return False
        gate.latch(held)
        return True

    def _play(self, asked: int) -> int:
        """Play up to so many rounds, until the next change; returns how many were played."""
        branch, rounds = self.breakers.branch, self.group.rounds
        if forced := self.acts.forced(branch, rounds):
            play_forced(self.group, self.breakers.arm, forced)
            self.acts.played()
            return 1
        return self.group.run(self.acts.schedule.rounds_left(branch, rounds, asked))

    def _attach(self, gate: Gate) -> None:
        """Let the gate halt the group that is played now, and tell who watches what there is."""
        gate.attach(self.group)
        kept = self.breakers.kept(self, self.group.rounds + 1)  # also later, so the present one too
        gate.tell(branch=self.breakers.branch, kept=list(kept))

    # --- acts of people --------------------------------------------------------------------------

    def _carry_out(self, order: Order, gate: Gate, report: Report) -> Reply:
        """Look at what a person asks for, or make a change that is in the ledger.

        Raises:
            ConfigError: it cannot be done, or a state cannot be written.
        """
        if (order["arm"], order["seed"]) != (self.arm.name, self.k):
            raise ConfigError("seed: has ended.")
        if order["do"] == "release":
            try:
                self.breakers.release(self)
            finally:  # it may be released although its save could not be written
                gate.latch(self.breakers.paused or "")
            return {}
        if order["do"] == "look":
            return self._look(ActRequest.model_validate(order["request"]))
        before = self.breakers.branch
        self._change(order["change"], gate, report)
        return {"moved": self.breakers.branch != before, "round": self.group.rounds}

    def _look(self, request: ActRequest) -> Reply:
        """What an act would change."""
        standing = Standing(
            configured=self.arm,
            arm=self.breakers.arm,
            k=self.k,
            branch=self.breakers.branch,
            rounds=self.group.rounds,
            kept=self.breakers.kept(self),
            trips=self.breakers.trips,
        )
        reply = self.acts.look(request, standing, self.group)
        if not request.dry_run:
            # Whatever the system refuses is found before the act is in the ledger.
            self.keyframes.write(self.saver.path.parent, self.breakers.branch)
            self.save()
        return {**reply, "kpi": kpis.canonical(self.breakers.arm.kpi), "trips": self.breakers.trips}

    def _change(self, change: Change, gate: Gate, report: Report) -> None:
        """Make a change that is in the ledger."""
        if is_force(change):
            self.acts.order(change)
            self.save()
            return
        self.acts.forked(change)
        self.breakers.fork(self, change, report)
        self._attach(gate)
        gate.moved(self.group.rounds)

    def _read_point(self) -> Floats:
        """Read and log an evaluation point, with the figures of quick probes.

        Returns:
            Mean measures since the last point, float64 `[S + 1, M]`.

        Raises:
            ConfigError: what is learned is no longer finite.
        """
        arm, group = self.breakers.arm, self.group
        check_finite(group.state(), arm.name, self.k, group.rounds)
        count = group.rounds_since_read  # asked before `read`, which sets it to 0
        measures, scores = group.read()
        self.points.append((count, measures))
        if self.keyframes.wants(len(self.points)) and not self.is_over:
            self.keyframes.add(len(self.points), group.rounds, group.state())
        figures: dict[str, float] = {}
        if (
            probes_along_training(arm.market, arm.kpi) and not arm.live
        ):  # else nobody asks for frozen policies
            figures = add_curve_point(self.curve, population_of(arm, self.k, group), group.rounds)
        tags = point_tags(arm, measures, scores) | group.figures
        tags |= {f"probe/{name}": x for name, x in figures.items()}
        tags |= self.breakers.read(group.rounds, measures, figures, not group.stopped)
        self.events.scalars(group.rounds, tags)
        return measures

    def finish(self) -> dict[str, Any]:
        """Measure and probe the trained repetition, and log that; returns its record."""
        arm, group = self.breakers.arm, self.group
        path, probes = None, dict[str, PlainFigures]()
        if not arm.live:  # else no policy is known that could be followed or probed
            population = population_of(arm, self.k, group)
            path = limit_path(population)  # where play without exploration settles
            probes = probe_seed(population)
        final = final_measures(group, path, self.points, arm.train.measure_last)
        ending = end_figures(group, path)
        measures = named_measures(arm.market, final) | ending
        tags = {f"probe/{name}": x for name, x in ending.items() if isfinite(x)}
        tags |= {
            f"probe/{name}": x
            for name, x in figures_of({"probes": probes}).items()
            if x is not None and "/" not in name  # figures of single seats would be too many
        }
        self.events.scalars(group.rounds, tags)
        from tacit.training.board.bands import record_of

        played = group.rounds - arm.first_round + self.breakers.rounds_left()
        return {
            "arm": self.arm.plain,
            "machine": machine(),
            "seed": arm.seed + self.k,
            "rounds": group.rounds,
            "agent_steps": agent_steps(arm.market, played * arm.train.copies),
            "seconds": round(self.seconds, 4),
            # JSON has no NaN.
            "measures": {name: x if isfinite(x) else None for name, x in measures.items()},
            "probes": probes,
            **({"training_curve": self.curve} if self.curve else {}),
            **record_of(self.events.curve),
            **self.breakers.record(group.rounds),
            **self.acts.record(),
            **({LIVE: group.counts()} if isinstance(group, LiveGroup) else {}),
            POLICIES: policy_hashes(
                arm.market.seats,
                own_first_tables(arm.market, self.arm.vendors, group.tables()),
                arm.live,
            ),
        }
