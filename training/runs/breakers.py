"""Breakers of a repetition under way: judged at every evaluation point, and what follows.

    tags = breakers.read(rounds, measures, figures)    # at an evaluation point
    breakers.act(repetition, report)                   # does something if one of them tripped there

A trip is in the ledger before it has any effect, whichever process trains the repetition. Of those
that trip at one point, one acts: a stop before a pause, a pause before a rollback, else the first
in the configuration. The others are not recorded, and count from 0 again. What follows is a
function of configuration and seed: an interrupted repetition that goes on comes to the same trips,
and does not record them twice.

A breaker with `scope: arm` judges the mean over all repetitions of the arm, which come to each
point together (`arm_points/`). Each of them comes to the same judgement by itself, and its trip
goes before one of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from tacit.agents.group import Group
from tacit.envs.errors import ConfigError
from tacit.envs.types import Floats
from tacit.oversight.breakers import CLEAN, NAN, Streak, readings, watched
from tacit.training.acts.forks import AGAIN
from tacit.training.acts.gate import COMPLETE
from tacit.training.config.arms import Arm
from tacit.training.config.breaker_settings import ARM, NONE, PAUSE, ROLLBACK, STOP
from tacit.training.config.in_force import Trip, arm_in_force, rollbacks
from tacit.training.storage.atomic_files import file_hash
from tacit.training.storage.keyframes import Keyframes, file_name
from tacit.training.storage.run_folder import RunFolder

from .arm_points.exchange import partners_of
from .arm_points.member import ArmMember
from .arm_points.points import ArmPoints
from .branches import (
    branch_group,
    branches_in,
    branches_of,
    cut_curve,
    kept_before,
    points_until,
    readings_left,
    record_act,
    target,
    trip_text,
)
from .partial import NAME
from .progress import SeedProgress

if TYPE_CHECKING:
    from .seed_run import Repetition

TRIPPED, RELEASED = "breaker tripped", "breaker released"  # acts in the ledger
ORDER = (STOP, PAUSE, ROLLBACK)  # of those that trip at one point, the first acts


class SeedBreakers:
    """The breakers of one repetition; of an arm that has none it does nothing.

    Attributes:
        arm: with the KPI and the market that are in force.
        trips: those of breakers and people so far, in order, as the record holds them.
        paused: the breaker that holds the repetition until a person releases it; None: none does.
    """

    def __init__(
        self,
        run: RunFolder,
        arm: Arm,
        k: int,
        saved: Mapping[str, Any],
        points: ArmPoints | None = None,
    ) -> None:
        """Begin, or go on with what `plain` gave.

        Args:
            run: the run.
            arm: as it was configured.
            k: the repetition.
            saved: what `plain` gave; empty at the beginning.
            points: of the arm; needed where a breaker has `scope: arm`.

        Raises:
            ConfigError: that is not what it gave.
            ValueError: `points` are missing.
        """
        if arm.has_arm_breakers and points is None:
            raise ValueError("a breaker with scope: arm needs all seeds of the arm")
        self._run, self._configured, self._k = run, arm, k
        path = run.seed(arm.name, k) / NAME
        try:
            self.trips: list[Trip] = list(saved.get("trips", []))
            self.paused: str | None = saved.get("paused")
            # Readings of branches that were left, one entry a branch (`readings_left`).
            self._left: list[dict[str, Any]] = list(saved.get("left", []))
            # Released breakers whose reading was not inside again since: they do not trip.
            self._released = dict.fromkeys(saved.get("released", ()))
            streaks = saved.get("streaks", {})
            self._streaks = {name: Streak(*streaks.get(name, CLEAN)) for name in arm.breakers}
            self._due: dict[str, Any] | None = saved.get("due")  # the trip on which `act` acts
            self.member = None
            if arm.has_arm_breakers and points is not None:
                self.member = ArmMember(points, k, saved.get("arm", {}))
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            raise ConfigError(f"{path}: is not a save: {error!r}.") from None
        branches_in(self.trips, arm, path)
        self._earlier: dict[int, int] | None = None  # states that branches before this one kept
        self.arm = arm_in_force(arm, self.trips)

    @property
    def branch(self) -> int:
        """The branch under way."""
        return len(rollbacks(self.trips))

    @property
    def stopped(self) -> bool:
        """Whether a breaker has ended the repetition."""
        return bool(self.trips) and self.trips[-1]["action"] == STOP

    def group(self) -> Group:
        """The group with which the branch under way begins.

        Raises:
            ConfigError: the state that it begins with is missing.
        """
        return branch_group(self._run, self._configured, self._k, self.trips, self.branch)

    # --- judging ---------------------------------------------------------------------------------

    def read(
        self,
        rounds: int,
        measures: Floats,
        figures: Mapping[str, float],
        is_point: bool = True,
    ) -> dict[str, float]:
        """Judge an evaluation point; the trip, if there is one, waits for `act`.

        Args:
            rounds: played so far, per copy.
            measures: means since the last point, float64 `[S + 1, M]`.
            figures: of quick probes that are defined there.
            is_point: whether all repetitions of the arm come here; False: its agents have stopped
                by themselves.

        Returns:
            TensorBoard's scalars: each reading's distance to the nearer end of its band, in the
            reading's unit; below 0 it is outside. Those of the arm come with `act`.
        """
        if not self._streaks:
            return {}
        known, tags = readings(self.arm.market, measures, figures), dict[str, float]()
        own = {name: b for name, b in self._configured.breakers.items() if not b.is_of_arm}
        values = {name: known.get(b.watch, NAN) for name, b in self._configured.breakers.items()}
        for name, breaker in own.items():
            if isfinite(distance := breaker.band.distance(values[name])):
                tags[f"breaker/{name}"] = distance
        self._due = self._judge(rounds, {name: (values[name], 0) for name in own})
        if self.member is not None and is_point:
            of_arm = [name for name in values if name not in own]
            self.member.come(rounds, {name: values[name] for name in of_arm})
        return tags

    def _judge(self, rounds: int, found: Mapping[str, tuple[float, int]]) -> dict[str, Any] | None:
        """The trip that follows from readings at a point, if one does.

        Args:
            rounds: of the point.
            found: readings by breaker; of one with `scope: arm` the mean, and of how many seeds.
        """
        due = []
        for name, (value, count) in found.items():
            breaker = self._configured.breakers[name]
            if rounds < breaker.from_ or self._is_released(name, value):
                continue
            if breaker.ignores(self._rolled_back(name)):
                continue
            streak = watched(self._streaks[name], rounds, value, breaker.band)
            self._streaks[name] = streak
            if streak.points >= breaker.points:
                self._streaks[name] = CLEAN
                due.append(self._trip(name, rounds, value, streak.since))
                if breaker.is_of_arm:
                    due[-1] |= {"scope": ARM, "seeds": count, "point": rounds}
        return min(due, key=lambda trip: ORDER.index(trip["action"]), default=None)

    def _is_released(self, name: str, value: float) -> bool:
        """Whether a person has released a breaker whose reading was not inside again since."""
        if name in self._released and self._configured.breakers[name].band.distance(value) >= 0:
            del self._released[name]
        return name in self._released

    @property
    def waits(self) -> bool:
        """Whether a breaker holds the repetition whose release is waited for within the run."""
        return self.paused is not None and self._configured.breakers[self.paused].wait

    def release(self, repetition: Repetition) -> None:
        """Let a repetition that waits within the run go on; the ledger has the act first.

        Raises:
            ConfigError: no breaker holds it, or the ledger cannot be written.
        """
        if self.paused is None:
            raise ConfigError("seed: no breaker holds it.")
        trip = next(t for t in reversed(self.trips) if t.get("breaker") == self.paused)
        where = {key: trip[key] for key in ("breaker", "branch", "round")}
        record_act(self._run, RELEASED, arm=self.arm.name, seed=self._k, **where)
        self._released[self.paused] = None
        self.paused = None
        repetition.save()

    def _trip(self, name: str, rounds: int, value: float, since: int) -> dict[str, Any]:
        """A trip as ledger and record hold it; a breaker without a rollback left stops."""
        breaker = self._configured.breakers[name]
        done = self._rolled_back(name)
        is_spent = breaker.action == ROLLBACK and done >= breaker.most_rollbacks
        return {
            "breaker": name,
            "branch": self.branch,
            "round": rounds,
            "watch": breaker.watch,
            "value": value,
            "since": since,
            "band": [breaker.low, breaker.high],
            "action": STOP if is_spent else breaker.action,
            **({"after_rollbacks": done} if is_spent else {}),
        }

    def _rolled_back(self, name: str) -> int:
        """How often a breaker has rolled the repetition back."""
        return sum(trip.get("breaker") == name for trip in rollbacks(self.trips))

    # --- acting ----------------------------------------------------------------------------------

    @property
    def is_undecided(self) -> bool:
        """Whether `act` is to be called again before another round is played."""
        return self._due is not None or (self.member is not None and self.member.at is not None)

    def arm_state(self) -> str:
        """Whether others of the arm are waited for (`arm_points.points`)."""
        if self.member is None:
            return COMPLETE
        if self.member.at is None and self._due is not None and self._exchanges(self._due):
            return self.member.points.all_wrote(self.member.generation, self._due["point"])
        return self.member.state

    def act(self, repetition: Repetition, report: Callable[[SeedProgress], None]) -> None:
        """Record and carry out the trip of the last evaluation point, if there was one.

        Where others of the arm are waited for, nothing is done but to tell them what was read here.

        Args:
            repetition: the one that is judged.
            report: receives progress; rounds that a rollback takes back are reported below 0.

        Raises:
            ConfigError: the ledger or a state cannot be written or read.
        """
        if self.member is not None and self.member.at is not None:
            self.member.give(lambda: self.kept(repetition))
            if self.arm_state() != COMPLETE:
                return
            self._judge_arm(repetition, self.member, self.member.at)
        if self._due is None:
            return
        if self._exchanges(self._due):
            self._write_kept(repetition)
            if self.arm_state() != COMPLETE:
                return
        trip, self._due = self._due, None
        trip |= {"branch": self.branch, "round": repetition.group.rounds}
        if trip["action"] == ROLLBACK:
            trip |= self._way_back(repetition, trip)
        record_act(self._run, TRIPPED, arm=self.arm.name, seed=self._k, **trip)
        if trip["action"] == ROLLBACK:
            self.fork(repetition, trip, report)
            return
        self.trips.append(trip)
        if trip["action"] == STOP:  # its last state is the checkpoint, not a kept state too
            repetition.keyframes.states.pop(trip["round"], None)
        if trip["action"] == PAUSE:
            self.paused = trip["breaker"]
        self._tell(repetition)
        repetition.save()

    def _judge_arm(self, repetition: Repetition, member: ArmMember, at: int) -> None:
        """Judge the point `at`, to which all repetitions of the arm have come."""
        of_arm = {name: b for name, b in self._configured.breakers.items() if b.is_of_arm}
        found = {name: (mean, count) for name, mean, count in member.means(of_arm)}
        self._due = self._judge(at, found) or self._due
        if repetition.group.rounds == at:  # else a person has begun a branch meanwhile
            distances = {n: of_arm[n].band.distance(mean) for n, (mean, _) in found.items()}
            tags = {f"breaker/{name}": x for name, x in distances.items() if isfinite(x)}
            repetition.events.scalars(at, tags)
        member.judged({name: mean for name, (mean, _) in found.items()})

    def _exchanges(self, trip: Trip) -> bool:
        """Whether learners come from other repetitions."""
        if trip["action"] != ROLLBACK:
            return False
        return self._configured.breakers[trip["breaker"]].changes.partners is not None

    def rejoin(self, repetition: Repetition) -> None:
        """Write again for others what an interrupted process had: `act` comes only after that."""
        if self.member is not None and self._due is not None and self._exchanges(self._due):
            self._write_kept(repetition)

    def _write_kept(self, repetition: Repetition) -> None:
        """Put the kept states where other repetitions can read them, and say so."""
        assert self.member is not None
        repetition.keyframes.write(self._run.seed(self.arm.name, self._k), self.branch)
        self.member.points.wrote(self._k, self.member.generation)

    def _way_back(self, repetition: Repetition, trip: Trip) -> dict[str, Any]:
        """To which state a rollback goes back, and what is changed there, as its trip holds it."""
        breaker, found = self._configured.breakers[trip["breaker"]], dict[str, Any]()
        if self.member is not None and breaker.is_of_arm:
            common = self.member.common(trip["point"])
            to = target(breaker, list(common), trip["since"])
            found |= {"to": to, "from": common[to][self._k]}
            if breaker.changes.partners:
                arm, k = self._configured, self._k
                found["partners"] = partners_of(self._run, arm, k, to, common[to])
        else:
            kept = self.kept(repetition)
            to = target(breaker, list(kept), trip["since"])
            found |= {"to": to, "from": kept[to]}
        found["into"] = self.branch + 1
        return found | {"redirect": AGAIN if breaker.redirect == NONE else breaker.changes.plain}

    def fork(
        self, repetition: Repetition, trip: Trip, report: Callable[[SeedProgress], None]
    ) -> None:
        """Begin the branch of a breaker's or a person's trip, which is in the ledger.

        Args:
            repetition: the one that is rolled back or redirected.
            trip: a rollback, or a redirect from the present state.
            report: as for `act`.

        Raises:
            ConfigError: a state cannot be written or read.
        """
        folder = self._run.seed(self.arm.name, self._k)
        # The branch that is left keeps its last state, so that all of it can be played again.
        repetition.keyframes.states[trip["round"]] = repetition.group.state()
        repetition.keyframes.write(folder, self.branch)
        self._left.append(readings_left(repetition, trip))
        self.trips.append(trip)
        if self._due is not None and self._due.get("scope") != ARM:
            self._due = None  # a person leaves the branch in which it was due
        self._begin_branch(repetition, trip, report)
        self._tell(repetition)
        repetition.save()

    def kept(self, repetition: Repetition, before: int | None = None) -> dict[int, int]:
        """The states to which a repetition can go back: rounds -> the branch that kept it.

        Args:
            repetition: the one under way.
            before: only states with fewer rounds than this; None: than the present state.

        Raises:
            ConfigError: states of an earlier branch cannot be read.
        """
        branches = branches_of(self.trips, self.arm.first_round)
        number, _, start, _ = branches[-1]
        if self._earlier is None:
            folder = self._run.seed(self.arm.name, self._k)
            self._earlier = kept_before(folder, branches, [], start + 1)
        own = {at: number for at in repetition.keyframes.states if at > start}
        most = repetition.group.rounds if before is None else before
        return {at: b for at, b in (self._earlier | own).items() if at < most}

    def _tell(self, repetition: Repetition) -> None:
        """Write the last trip in words into the event file, for TensorBoard."""
        trip = self.trips[-1]
        label = f"breaker_trips/{len(self.trips)}_{trip.get('breaker', trip.get('what'))}"
        repetition.events.text(label, trip_text(trip))

    def _begin_branch(
        self, repetition: Repetition, trip: Trip, report: Callable[[SeedProgress], None]
    ) -> None:
        """Put a repetition into the state that the last trip goes back to, under its redirect."""
        self.arm, self._earlier = arm_in_force(self._configured, self.trips), None
        is_of_arm = trip.get("scope") == ARM
        for name, breaker in self._configured.breakers.items():
            if is_of_arm or not breaker.is_of_arm:  # the arm's count on where one seed goes back
                self._streaks[name] = CLEAN
        if is_of_arm and self.member is not None:
            self.member.go_back()
        repetition.group = self.group()
        repetition.points = points_until(repetition, trip["to"])
        cut_curve(repetition.curve, trip["to"])
        repetition.keyframes = Keyframes(self.arm.record.keyframe_bytes)
        repetition.events.restart(trip["to"] + 1)
        taken_back = (trip["round"] - trip["to"]) * self.arm.train.copies
        report(SeedProgress(-taken_back, float("nan"), skipped=True))

    # --- what is kept ----------------------------------------------------------------------------

    def plain(self) -> dict[str, Any]:
        """What a save holds, as JSON; empty without breakers and branches."""
        if not (self._streaks or self.trips):
            return {}
        return {
            "trips": self.trips,
            "paused": self.paused,
            "streaks": self._streaks,
            "left": self._left,
            "released": list(self._released),
            **({"due": self._due} if self._due is not None else {}),
            **({"arm": self.member.plain()} if self.member is not None else {}),
        }

    def record(self, rounds: int) -> dict[str, Any]:
        """What the record of a finished repetition holds; empty without breakers and branches.

        Args:
            rounds: played when it ended.
        """
        if not (self._streaks or self.trips):
            return {}
        branches = [
            branch.plain(rounds) for branch in branches_of(self.trips, self.arm.first_round)
        ]
        found = {"trips": self.trips, "branches": branches, "left": self._left}
        return found | ({"arm_points": self.member.plain()} if self.member is not None else {})

    def rounds_left(self) -> int:
        """Rounds per copy that rollbacks have taken back, over all branches that were left."""
        return sum(trip["round"] - trip["to"] for trip in rollbacks(self.trips))

    def keyframe_hashes(self, keyframes: Keyframes) -> dict[str, str]:
        """Write the states of the last branch; SHA-256 of the files of all, by name.

        Raises:
            ConfigError: the system refuses.
        """
        keyframes.write(self._run.seed(self.arm.name, self._k), self.branch)
        names = [file_name(branch) for branch in range(self.branch + 1)]
        paths = {name: self._run.inside(self.arm.name, f"s{self._k}", name) for name in names}
        found = {name: file_hash(path) for name, path in paths.items()}
        return {name: digest for name, digest in found.items() if digest}
