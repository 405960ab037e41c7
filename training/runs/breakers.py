"""Breakers of a repetition under way: judged at every evaluation point, and what follows.

    tags = breakers.read(rounds, measures, figures)    # at an evaluation point
    breakers.act(repetition, report)                   # does something if one of them tripped there

A trip is in the ledger before it has any effect, whichever process trains the repetition. Of those
that trip at one point, one acts: a stop before a pause, a pause before a rollback, else the first
in the configuration. The others are not recorded, and count from 0 again. What follows is a
function of configuration and seed: an interrupted repetition that goes on comes to the same trips,
and does not record them twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from tacit.agents.group import Group
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.types import Floats
from tacit.oversight import ledger as ledgers
from tacit.oversight.breakers import CLEAN, Streak, readings, watched
from tacit.oversight.ledger import Ledger
from tacit.training.acts.forks import AGAIN, fork_text
from tacit.training.config.arms import Arm, Experiment
from tacit.training.config.breaker_settings import NONE, PAUSE, ROLLBACK, STOP
from tacit.training.config.in_force import Trip, arm_in_force, is_by_person, rollbacks
from tacit.training.storage import checkpoint
from tacit.training.storage.atomic_files import file_hash
from tacit.training.storage.keyframes import Keyframes, file_name
from tacit.training.storage.run_folder import RunFolder
from tacit.training.storage.run_lock import writing

from .branches import Branch, branch_group, branches_in, branches_of, kept_before, target
from .partial import NAME
from .progress import SeedProgress

if TYPE_CHECKING:
    from .seed_run import Repetition

TRIPPED, RELEASED = "breaker tripped", "breaker released"  # acts in the ledger
ORDER = (STOP, PAUSE, ROLLBACK)  # of those that trip at one point, the first acts
SHOWN = 5  # held repetitions that are described one by one
OF_A_LINE = ("n", "time", "previous", "hash")  # keys of every entry, that say where it stands


class SeedBreakers:
    """The breakers of one repetition; of an arm that has none it does nothing.

    Attributes:
        arm: with the KPI and the market that are in force.
        trips: those of breakers and people so far, in order, as the record holds them.
        paused: the breaker that holds the repetition until a person releases it; None: none does.
    """

    def __init__(self, run: RunFolder, arm: Arm, k: int, saved: Mapping[str, Any]) -> None:
        """Begin, or go on with what `plain` gave.

        Raises:
            ConfigError: that is not what it gave.
        """
        self._run, self._configured, self._k = run, arm, k
        path = run.seed(arm.name, k) / NAME
        try:
            self.trips: list[Trip] = list(saved.get("trips", []))
            self.paused: str | None = saved.get("paused")
            # Readings of branches that were left, one entry a branch (`_readings_left`).
            self._left: list[dict[str, Any]] = list(saved.get("left", []))
            # Released breakers whose reading was not inside again since: they do not trip.
            self._released = dict.fromkeys(saved.get("released", ()))
            streaks = saved.get("streaks", {})
            self._streaks = {name: Streak(*streaks.get(name, CLEAN)) for name in arm.breakers}
        except (TypeError, AttributeError) as error:
            raise ConfigError(f"{path}: is not a save: {error!r}.") from None
        branches_in(self.trips, arm, path)
        self._due: dict[str, Any] | None = None  # the trip on which `act` is to act
        self._earlier: dict[int, int] | None = None  # states that branches before this one kept
        self.arm = arm_in_force(arm, self.trips)

    @property
    def branch(self) -> int:
        """The branch under way."""
        return len(rollbacks(self.trips))

    def _branches(self) -> list[Branch]:
        """All branches so far."""
        return branches_of(self.trips, self.arm.first_round)

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

    def read(self, rounds: int, measures: Floats, figures: Mapping[str, float]) -> dict[str, float]:
        """Judge an evaluation point; the trip, if there is one, waits for `act`.

        Args:
            rounds: played so far, per copy.
            measures: means since the last point, float64 `[S + 1, M]`.
            figures: of quick probes that are defined there.

        Returns:
            TensorBoard's scalars: each reading's distance to the nearer end of its band, in the
            reading's unit; below 0 it is outside.
        """
        if not self._streaks:
            return {}
        known, tags, due = readings(self.arm.market, measures, figures), {}, []
        for name, breaker in self._configured.breakers.items():
            value, band = known.get(breaker.watch, float("nan")), breaker.band
            if isfinite(distance := band.distance(value)):
                tags[f"breaker/{name}"] = distance
            if rounds < breaker.from_ or self._is_released(name, value):
                continue
            streak = watched(self._streaks[name], rounds, value, band)
            self._streaks[name] = streak
            if streak.points >= breaker.points:
                self._streaks[name] = CLEAN
                due.append(self._trip(name, rounds, value, streak.since))
        self._due = min(due, key=lambda trip: ORDER.index(trip["action"]), default=None)
        return tags

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
        done = sum(trip.get("breaker") == name for trip in rollbacks(self.trips))
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

    # --- acting ----------------------------------------------------------------------------------

    def act(self, repetition: Repetition, report: Callable[[SeedProgress], None]) -> None:
        """Record and carry out the trip of the last evaluation point, if there was one.

        Args:
            repetition: the one that is judged.
            report: receives progress; rounds that a rollback takes back are reported below 0.

        Raises:
            ConfigError: the ledger or a state cannot be written or read.
        """
        if self._due is None:
            return
        trip, self._due = self._due, None
        folder = self._run.seed(self.arm.name, self._k)
        if trip["action"] == ROLLBACK:
            kept = kept_before(
                folder,
                self._branches(),
                repetition.keyframes.states,
                trip["round"],
            )
            breaker = self._configured.breakers[trip["breaker"]]
            to = target(breaker, list(kept), trip["since"])
            trip |= {"to": to, "from": kept[to], "into": self.branch + 1}
            trip |= {"redirect": AGAIN if breaker.redirect == NONE else breaker.changes.plain}
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
        self._left.append(_readings_left(repetition, trip))
        self.trips.append(trip)
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
        branches = self._branches()
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
        self._streaks = dict.fromkeys(self._streaks, CLEAN)
        repetition.group = self.group()
        repetition.points = _points_until(repetition, trip["to"])
        _cut_curve(repetition.curve, trip["to"])
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
        }

    def record(self, rounds: int) -> dict[str, Any]:
        """What the record of a finished repetition holds; empty without breakers and branches.

        Args:
            rounds: played when it ended.
        """
        if not (self._streaks or self.trips):
            return {}
        branches = [branch.plain(rounds) for branch in self._branches()]
        return {"trips": self.trips, "branches": branches, "left": self._left}

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


def record_act(run: RunFolder, act: str, **details: Any) -> None:
    """Record an act of or on a breaker, unless the ledger has it: a repetition that was interrupted
    between the entry and its effect comes to the same act again.

    Raises:
        ConfigError: the ledger cannot be written.
    """
    entries = ledgers.read(run.ledger) if run.ledger.exists() else []
    for entry in entries:
        if {k: v for k, v in entry.items() if k not in OF_A_LINE} == {"act": act, **details}:
            return
    Ledger(run.ledger).append(act, **details)


def trip_text(trip: Trip) -> str:
    """A trip in words."""
    if is_by_person(trip):
        return fork_text(trip)
    low, high = ("" if end is None else f"{end:g}" for end in trip["band"])
    text = (
        f"breaker {trip['breaker']}: {trip['watch']} was {trip['value']:.4g} at round "
        f"{trip['round']:,} of branch {trip['branch']}, outside {low}..{high}: {trip['action']}"
    )
    if "after_rollbacks" in trip:
        return f"{text}, for it has rolled back {trip['after_rollbacks']} times"
    if trip["action"] != ROLLBACK:
        return text
    return f"{text} to round {trip['to']:,}, branch {trip['into']}; redirect: {trip['redirect']}"


# --- readings of a branch that is left -----------------------------------------------------------


def _points_until(repetition: Repetition, rounds: int) -> list[tuple[int, Floats]]:
    """The evaluation points up to some rounds: rounds since the point before, and means, float64
    `[S + 1, M]`."""
    played, kept = repetition.arm.first_round, list[tuple[int, Floats]]()
    for count, measures in repetition.points:
        played += count
        if played > rounds:
            break
        kept.append((count, measures))
    return kept


def _readings_left(repetition: Repetition, trip: Trip) -> dict[str, Any]:
    """What was read after the state that a trip goes back to, as the record keeps it."""
    market = repetition.breakers.arm.market
    played, rounds, figures = (
        repetition.arm.first_round,
        list[int](),
        dict[str, list[float | None]](),
    )
    for count, measures in repetition.points:
        played += count
        if played > trip["to"]:
            rounds.append(played)
            for name, x in readings(market, measures, {}).items():
                figures.setdefault(name, []).append(x if isfinite(x) else None)
    curve = repetition.curve
    later = [n for n, at in enumerate(curve.get("rounds", [])) if at > trip["to"]]
    for name, values in curve.get("figures", {}).items():
        figures[name] = [values[n] for n in later]
    return {"branch": trip["branch"], "rounds": rounds, "figures": figures}


def _cut_curve(curve: dict[str, Any], rounds: int) -> None:
    """Cut a training curve, in place, after so many rounds."""
    if not curve:
        return
    kept = sum(at <= rounds for at in curve["rounds"])
    curve["rounds"] = curve["rounds"][:kept]
    curve["figures"] = {name: values[:kept] for name, values in curve["figures"].items()}


# --- repetitions that are held --------------------------------------------------------------------


def held(run: RunFolder, experiment: Experiment) -> Iterator[tuple[str, int, Trip]]:
    """Repetitions that a breaker holds on disk: arm, number, and the trip that did it."""
    for name, arm in experiment.arms.items():
        if any(breaker.action == PAUSE for breaker in arm.breakers.values()):
            for k in range(arm.seeds):
                record = checkpoint.finished(run.inside(name, f"s{k}", NAME)) or {}
                saved = record.get("breakers", {})
                if saved.get("paused"):
                    yield name, k, saved["trips"][-1]


def pause_text(run: RunFolder, experiment: Experiment) -> str:
    """Which repetitions breakers hold, a line each, and the command with which they go on."""
    found = list(held(run, experiment))
    lines = [f"arm {arm}, seed {k}: {trip_text(trip)}" for arm, k, trip in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append(f"and {len(found) - SHOWN} more")
    names = dict.fromkeys(trip["breaker"] for _, _, trip in found)
    go_on = " or ".join(run.command("resume", "--release", name) for name in names)
    count = f"{len(found)} seed{'s' * (len(found) > 1)}"
    return "\n".join([f"paused: {count}; everything is kept.", *lines, f"Go on: {go_on}"])


def release(run: RunFolder, experiment: Experiment, name: str) -> int:
    """Release all repetitions that a breaker holds on disk; returns how many.

    The ledger has an act for each repetition before its record is changed.

    Raises:
        ConfigError: it holds none, or another command is writing to the run.
    """
    with writing(run):
        found = list(held(run, experiment))
        own = [(arm, k, trip) for arm, k, trip in found if trip["breaker"] == name]
        if not own:
            holding = dict.fromkeys(trip["breaker"] for _, _, trip in found)
            raise ConfigError(f"--release: '{name}' holds no seed. {nearest(name, holding)}")
        for arm, k, trip in own:
            where = {key: trip[key] for key in ("breaker", "branch", "round")}
            record_act(run, RELEASED, arm=arm, seed=k, **where)
            path = run.inside(arm, f"s{k}", NAME)
            record = checkpoint.finished(path) or {}
            saved = record["breakers"]
            released = dict.fromkeys([*saved.get("released", ()), name])
            saved = {**saved, "paused": None, "released": list(released)}
            checkpoint.rewrite_record(path, {**record, "breakers": saved})
    return len(own)
