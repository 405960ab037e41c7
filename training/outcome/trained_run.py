"""A run in Python: arms, repetitions, policies, measures, verdicts.

    run = tacit.load_run("volatility_kpi")
    arm = run.arms["second_1"]
    arm.measures["clearing_price"].mean
    policy = arm.repetitions[0].policies["bidder_0"]
    policy.act(observation)

Whatever learned, its policy is kept as a table `[O, A]`: learners of tables, networks, and
Stable-Baselines3 in a seat (read back at every observation). Networks themselves, optimisers and
replay buffers are in the checkpoint, and only `tacit resume` reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, overload

from tacit.agents.table_policy import TablePolicy
from tacit.emergence.evaluate import SeedEstimate
from tacit.emergence.evidence import Verdict
from tacit.emergence.population import FrozenPopulation
from tacit.envs.errors import ByName, ConfigError
from tacit.envs.market import Market
from tacit.training.config.arms import Arm
from tacit.training.storage import checkpoint
from tacit.training.storage.load_run import Run, learned_tables, trained_arm
from tacit.training.storage.load_run import load_run as load_files
from tacit.training.storage.machine import machine
from tacit.training.storage.run_folder import RunFolder

from .probing import figures_of, learned_population
from .summary import estimate_of, read_summary


class NoSuchRepetition(ConfigError, IndexError):
    """A number k that no repetition of an arm has; an IndexError too, as of any sequence."""


@dataclass(frozen=True, repr=False)
class TrainedRepetition:
    """One repetition of an arm. Files are read when something is asked for.

    Attributes:
        arm: as it was configured.
        folder: the run's.
        k: its number, 0 .. seeds - 1.
    """

    arm: Arm
    folder: RunFolder
    k: int

    @property
    def seed(self) -> int:
        """The seed that all its draws come from."""
        return self.arm.seed + self.k

    @property
    def is_finished(self) -> bool:
        """Whether its training has ended."""
        return checkpoint.finished(self._path) is not None

    @cached_property
    def measures(self) -> ByName[float]:
        """Measures and figures of probes by name, as `per_seed` of summary.json has them.

        Without figures that need several repetitions at once (`rematched/...`): these are in the
        arm's `measures`.

        Raises:
            ConfigError: it is not finished.
        """
        record = checkpoint.finished(self._path)
        if record is None:
            raise self._unfinished()
        numbers = {**record["measures"], **figures_of(record)}
        defined = {name: float(x) for name, x in numbers.items() if x is not None}
        return ByName("measure", defined)

    @cached_property
    def population(self) -> FrozenPopulation:
        """All its policies, frozen, with the state in which training ended: what probes measure.

        Raises:
            ConfigError: it is not finished, or its checkpoint was altered.
        """
        if not self._path.is_file():
            raise self._unfinished()
        try:
            return learned_population(self.folder, self.arm, self.k)
        except ConfigError as error:
            raise ConfigError(error.mistakes + self._other_version()) from None

    @property
    def market(self) -> Market:
        """The market under which training ended: another one than the arm's where a breaker or a
        person has changed its rules."""
        return trained_arm(self.folder, self.arm, self.k).market

    @cached_property
    def policies(self) -> ByName[TablePolicy]:
        """What every seat learned, without exploration, by seat; scripted seats too, live ones not.

        Raises:
            ConfigError: it is not finished, or its checkpoint was altered.
        """
        if self.arm.live:  # the others' are known
            if not self._path.is_file():
                raise self._unfinished()
            market, tables = self.market, learned_tables(self.folder, self.arm, self.k)
        else:
            market = self.population.market
            names = (seat.name for seat in market.seats)
            tables = dict(zip(names, self.population.tables, strict=True))
        found = {name: TablePolicy(market, name, own, self.seed) for name, own in tables.items()}
        return ByName("seat", found)

    def __repr__(self) -> str:
        return f"TrainedRepetition({self.k} of arm {self.arm.name}, seed {self.seed})"

    @property
    def _path(self) -> Path:
        return self.folder.checkpoint(self.arm.name, self.k)

    def _other_version(self) -> list[str]:
        """A line that says that another version trained it, if one did."""
        versions = ((checkpoint.read_record(self._path) or {}).get("machine") or {}).get("versions")
        theirs, own = (versions or {}).get("tacit"), machine()["versions"]["tacit"]
        told = f"{self._path}: was trained by tacit {theirs}; this is {own}."
        return [told] if theirs not in (None, own) else []

    def _unfinished(self) -> ConfigError:
        return ConfigError(
            f"{self.folder.path}: repetition {self.k} of arm {self.arm.name} is not finished. Go "
            f"on: {self.folder.resume}"
        )


class Repetitions(Sequence[TrainedRepetition]):
    """The repetitions of an arm in order, finished or not."""

    def __init__(self, arm: Arm, folder: RunFolder) -> None:
        self._arm = arm
        self._all = [TrainedRepetition(arm, folder, k) for k in range(arm.seeds)]

    @overload
    def __getitem__(self, k: int) -> TrainedRepetition: ...
    @overload
    def __getitem__(self, k: slice) -> Sequence[TrainedRepetition]: ...
    def __getitem__(self, k: int | slice) -> TrainedRepetition | Sequence[TrainedRepetition]:
        try:
            return self._all[k]
        except IndexError:
            raise NoSuchRepetition(
                f"seed: {k} is not one of 0 .. {len(self) - 1} of arm {self._arm.name}."
            ) from None

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[TrainedRepetition]:
        return iter(self._all)

    def __repr__(self) -> str:
        return f"Repetitions({len(self)} of arm {self._arm.name})"


@dataclass(frozen=True, kw_only=True, repr=False)
class TrainedArm(Arm):
    """An arm of a run on disk: its configuration, and what came out.

    Attributes:
        folder: the run's.
        found: its part of summary.json; empty while the run is not finished.
    """

    folder: RunFolder
    found: Mapping[str, Any]

    @cached_property
    def repetitions(self) -> Repetitions:
        """Its repetitions in order: `arm.repetitions[0].policies["bidder_0"]`."""
        return Repetitions(self, self.folder)

    def policies(self, k: int = 0) -> ByName[TablePolicy]:
        """What every seat of repetition k learned, by seat.

        Raises:
            ConfigError: no such repetition, or one that is not finished.
        """
        return self.repetitions[k].policies

    @cached_property
    def measures(self) -> ByName[SeedEstimate]:
        """Every measure and figure of summary.json: mean, interval, n, value by repetition.

        Raises:
            ConfigError: the run is not finished.
        """
        self._check_finished()
        estimates = {}
        for name, own in self.found["measures"].items():
            estimate = estimate_of(self.found, name)
            assert estimate is not None
            estimates[name] = SeedEstimate(
                estimate.mean, estimate.low, estimate.high, estimate.n, tuple(own["per_seed"])
            )
        return ByName("measure", estimates)

    @cached_property
    def verdicts(self) -> ByName[Verdict]:
        """The words that were found, by behaviour: `collusion`, `KPI`, `claims`, `coalition`.

        Raises:
            ConfigError: the run is not finished.
        """
        self._check_finished()
        words = {}
        for own in self.found.get("verdicts", ()):
            lines = {k: tuple(own.get(k, ())) for k in ("evidence", "missing", "qualifiers")}
            words[own["behaviour"]] = Verdict(own["behaviour"], own["word"], **lines)
        return ByName("behaviour", words)

    def __repr__(self) -> str:
        state = "" if self.found else ", not finished"
        return f"TrainedArm({self.name}: {self.market.name}, {self.seeds} repetitions{state})"

    def _check_finished(self) -> None:
        if not self.found:
            raise ConfigError(
                f"{self.folder.path}: arm {self.name} has no results yet. Go on: "
                f"{self.folder.resume}"
            )


@dataclass(frozen=True, repr=False)
class TrainedRun(Run):
    """A run on disk, with what came out.

    Attributes:
        folder: where it is.
        experiment: its question and its arms, as they were trained.
    """

    def __repr__(self) -> str:
        return f"TrainedRun({self.folder.path}: {', '.join(self.experiment.arms)})"

    @property
    def arms(self) -> ByName[TrainedArm]:
        """The arms by name, in order."""
        return self._arms

    @cached_property
    def _arms(self) -> ByName[TrainedArm]:
        found = read_summary(self.folder.summary)
        arms = {
            name: TrainedArm(
                **{each.name: getattr(arm, each.name) for each in fields(Arm)},
                folder=self.folder,
                found=found.get(name, {}),
            )
            for name, arm in self.experiment.arms.items()
        }
        return ByName("arm", arms)


def load_run(run: str | Path, results: str | Path = "results") -> TrainedRun:
    """A run by its path, or by its name under `results`.

    Raises:
        ConfigError: there is no such run, its folder does not describe one (or one of another
            version, or of a market that is not known here), or it is not as it was sealed: every
            file that was altered is named.
    """
    loaded = load_files(run, results)
    return TrainedRun(loaded.folder, loaded.experiment)
