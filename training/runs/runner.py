"""Runs an experiment: every arm, every seed, side by side, what is finished already kept.

    from tacit.training import train
    summary = train("volatility_kpi", ["seeds=8"], name="mine")

A job is one seed of one arm. Seeds share nothing, so their order and the number of threads change
no result. Compiled loops run outside the interpreter lock, so threads are enough, except for
networks (`worker_pool.py`).
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from tacit.envs.errors import ConfigError
from tacit.oversight.ledger import Ledger
from tacit.training.acts.control import RunControl
from tacit.training.acts.gate import Gate
from tacit.training.acts.remote_gate import RemoteGate
from tacit.training.config.arms import Experiment
from tacit.training.config.load import load
from tacit.training.outcome.ahead import Ahead
from tacit.training.outcome.finishing import Draw, Records, finish, write_pages
from tacit.training.storage import checkpoint
from tacit.training.storage.atomic_files import read_json
from tacit.training.storage.cards import held_policies
from tacit.training.storage.completed import read_mark, write_mark
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.machine import workers
from tacit.training.storage.run_config import check_same_run, write_run_config
from tacit.training.storage.run_folder import DEFAULT_RESULTS, RunFolder, named
from tacit.training.storage.run_lock import writing
from tacit.training.storage.seals import Sealer
from tacit.training.storage.signature_files import document_beside, take_over
from tacit.training.trust.live_doors import MakeSource
from tacit.training.trust.outside_agents import check_no_outside_agents

from .arm_points.points import ArmPoints, given_from
from .arm_points.slots import Slot, Slots
from .earlier import checked_seals, differences, earlier_summaries, mixed_machines
from .held import pause_text
from .memory import check_memory
from .partial import save_notes
from .progress import NoProgress, ProgressListener, SeedProgress
from .seed_run import train_seed
from .signals import Stopped, stopping_on_signals
from .warm_start import check_warm_starts, generations
from .worker_pool import WorkerPool, goes_to_pool, needs_pool

TRAINED = "trained already"
Job = tuple[str, int]  # the name of an arm, and the number of the repetition


class Interrupted(Exception):
    """Training was stopped by the user; all that was learned is kept.

    Attributes:
        exit_code: 130 after Ctrl-C, 128 + the number of another signal.
    """

    def __init__(self, run: str, exit_code: int = 130) -> None:
        super().__init__(run)
        self.exit_code = exit_code

    advice = "stopped; everything is kept. The same command goes on from here"


class Paused(Interrupted):
    """A breaker holds seeds until somebody releases them; all others are trained.

    Attributes:
        exit_code: 3.
        advice: which seeds, and how to go on, a line each.
    """

    def __init__(self, run: str, advice: str) -> None:
        super().__init__(run, 3)
        self.advice = advice


def train(
    config: str | Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    arms: Sequence[str] = (),
    as_arm: str | None = None,
    name: str | None = None,
    results: str | Path = DEFAULT_RESULTS,
    listener: ProgressListener | None = None,
) -> dict[str, Any]:
    """Train an experiment.

    Args:
        config: an experiment's or a market's name, a YAML file, or a table.
        overrides: `key=value` words, applied last, over every arm.
        arms: only these arms; all by default.
        as_arm: another name for the only arm, under which it is added to the run.
        name: of the run's folder; by default the config's.
        results: where runs are kept.
        listener: receives the progress; by default nothing is shown.

    Returns:
        The summary, as written to summary.json.

    Raises:
        ConfigError: mistakes in the configuration, or a run folder that holds something else, is
            being written by another process, or was altered.
        Interrupted: stopped by a signal; call again, or `tacit resume`, to go on.
        Paused: a breaker holds seeds; `tacit resume RUN --release NAME` goes on.
    """
    experiment = load(config, overrides, arms, as_arm)
    run = named(Path(results), experiment.name if name is None else name)
    return train_experiment(
        experiment, run, listener or NoProgress(), signed=document_beside(config)
    )


def train_experiment(
    experiment: Experiment,
    run: RunFolder,
    listener: ProgressListener,
    draw: Draw | None = None,
    signed: Path | None = None,
    control: RunControl | None = None,
    live: MakeSource | None = None,
) -> dict[str, Any]:
    """Train what is missing of an experiment's arms in a run folder.

    Args:
        experiment: what is trained.
        run: where; made if it is missing.
        listener: receives the progress.
        draw: draws the experiment's figure; by default none is drawn.
        signed: a document about its objectives, which is taken into the run if there is one.
        control: by which others act on it while it trains.
        live: makes what gives the answers of live agents; None: their user does not trust them.

    Returns:
        The summary of all arms of the run, as written to summary.json.

    Raises:
        ConfigError: the folder holds something else, is being written by another process, was
            altered or cannot be written, or a seed cannot be trained.
        Interrupted: stopped by a signal or by an act.
        Paused: a breaker holds seeds.
    """
    # What can be refused without a lock is refused before a folder is made for it.
    check_no_outside_agents(experiment, live=False)
    check_memory(experiment)
    _check(experiment, run)
    if live is None and any(arm.live for arm in experiment.arms.values()):
        check_no_outside_agents(left_to_train(experiment, run))
    try:
        with stopping_on_signals(), writing(run):
            return _train_locked(
                experiment, run, listener, draw, signed, control or RunControl(), live
            )
    except KeyboardInterrupt as error:
        raise Interrupted(run.name, getattr(error, "exit_code", 130)) from None
    except OSError as error:
        raise ConfigError(
            f"{error.filename or run.path}: {error.strerror or error}. What was saved is kept: "
            f"{run.resume}"
        ) from None


def left_to_train(experiment: Experiment, run: RunFolder) -> Experiment:
    """Those arms of an experiment of which a repetition is not finished in a folder.

    Raises:
        ConfigError: a repetition was finished under another configuration.
    """
    due = {name for name, _ in plan(experiment, run)[0]}
    arms = {name: arm for name, arm in experiment.arms.items() if name in due}
    return replace(experiment, arms=arms)


def _check(experiment: Experiment, run: RunFolder) -> dict[str, Any] | None:
    """Check that an experiment may be trained in a folder; returns what config.yaml holds."""
    config = run.read_config()
    check_same_run(experiment, config, run)
    check_warm_starts(experiment, run, config)
    return config


def _train_locked(
    experiment: Experiment,
    run: RunFolder,
    listener: ProgressListener,
    draw: Draw | None,
    signed: Path | None,
    control: RunControl,
    live: MakeSource | None,
) -> dict[str, Any]:
    """`train_experiment`, while this process holds the run's lock."""
    config = _check(experiment, run)
    seals, made_again = checked_seals(experiment, run, config, listener)
    for note in experiment.notes:
        listener.note(note)
    if not made_again and signed is None and (known := _known(experiment, run, listener, draw)):
        return known
    earlier = earlier_summaries(experiment, run)
    jobs, records = plan(experiment, run)
    for name in dict.fromkeys(name for name, _ in jobs):
        experiment.arms[name].check_policy_files()
    ledger = Ledger(run.ledger)
    sealer = Sealer(run, ledger, seals)
    write_run_config(experiment, config, run, sealer)
    if signed is not None:
        take_over(run, ledger, signed, experiment.arms)
    whole = read_experiment(run)
    for arm, k in jobs:
        for note in save_notes(run.seed(arm, k)):
            listener.note(note)
        sealer.unseal_seed(arm, k)
    write_pages(whole, run, sealer)
    sealer.close()
    seeds = len(jobs) + len(records)
    try:
        if jobs:
            hashes = {name: arm.kpi_hash for name, arm in experiment.arms.items()}
            ledger.append("training started", arms=list(experiment.arms), kpi_hashes=hashes)
            listener.begin(*_rounds(experiment, jobs))
        else:
            rest = "what was altered is written anew" if made_again else "nothing to do"
            listener.note(f"{run.path}: {TRAINED}; {rest}")
        # Linear algebra must not start threads of its own beside those that train. The library has
        # to be loaded before it can be limited.
        import scipy.linalg  # noqa: F401

        with Ahead(experiment, run, jobs) as ahead:
            with threadpool_limits(limits=1), control.training(ledger, experiment.arms):
                _train_jobs(experiment, run, jobs, records, listener, control, ahead, live)
            if len(records) < seeds:
                ledger.append("training paused", finished=len(records), of=seeds)
                raise Paused(run.name, pause_text(run, experiment))
            machines = mixed_machines(experiment, records)
            for note in machines:
                listener.note(note)
            report = listener.finishing
            summary = finish(experiment, whole, run, records, earlier, sealer, report, draw, ahead)
    except KeyboardInterrupt:
        # Counted on the disk: some seeds ended while the others were being stopped.
        finished = len(plan(experiment, run)[1])
        ledger.append("training interrupted", finished=finished, of=seeds)
        raise
    sealer.close()
    if jobs:
        held = held_policies(experiment.arms, records)
        ledger.append("training finished", arms=list(experiment.arms), **held)
    write_mark(experiment, run, draw is not None, machines)
    return summary


def _known(
    experiment: Experiment, run: RunFolder, listener: ProgressListener, draw: Draw | None
) -> dict[str, Any] | None:
    """The summary of a run in which nothing is due; None where something may be due.

    Args:
        experiment: what is to be trained.
        run: its folder, in which every file is as it was sealed.
        listener: receives the notes.
        draw: draws the experiment's figure; by default none is drawn.
    """
    notes = read_mark(experiment, run, draw is not None)
    if notes is None:
        return None
    for note in (f"{run.path}: {TRAINED}; nothing to do", *notes):
        listener.note(note)
    return read_json(run.summary)


def plan(experiment: Experiment, run: RunFolder) -> tuple[list[Job], Records]:
    """The jobs to do, and the records of the seeds that are finished in the folder.

    Raises:
        ConfigError: seeds that were finished under another configuration, which are kept.
    """
    jobs: list[Job] = []
    records: Records = {}
    others: list[str] = []
    for name, arm in experiment.arms.items():
        for k in range(arm.seeds):
            record = checkpoint.finished(run.checkpoint(name, k))
            if record is None:
                jobs.append((name, k))
            elif arm.same(record.get("arm", {})):
                records[name, k] = record
            else:
                others.append(
                    f"{run.seed(name, k)}: was finished under another configuration "
                    f"({differences(record.get('arm'), arm.plain)}), and is kept. Give {name} its "
                    "configuration back, or train this one in a run of its own: --name NAME."
                )
    if others:
        raise ConfigError(others)
    return jobs, records


def _rounds(experiment: Experiment, jobs: Sequence[Job]) -> tuple[int, int]:
    """Rounds of all seeds and copies, and how many of them are finished."""
    rounds = {name: arm.train.rounds * arm.train.copies for name, arm in experiment.arms.items()}
    total = sum(rounds[name] * arm.seeds for name, arm in experiment.arms.items())
    return total, total - sum(rounds[name] for name, _ in jobs)


class _Trainer:
    """Trains single jobs, in threads or in worker processes.

    Attributes:
        stop: whether seeds on their way are to save and return.
        worker_pool: processes for networks; None: there are none.
        arm_points: by name, the points of arms whose repetitions are judged together.
    """

    def __init__(
        self,
        experiment: Experiment,
        run: RunFolder,
        listener: ProgressListener,
        control: RunControl,
        worker_pool: WorkerPool | None,
        arm_points: Mapping[str, ArmPoints],
        live: MakeSource | None,
    ) -> None:
        self._experiment, self._run = experiment, run
        self._listener, self._control, self._live = listener, control, live
        self.worker_pool, self.arm_points = worker_pool, arm_points
        self.stop, self._slots = threading.Event(), Slots(workers())

    def train(self, name: str, k: int) -> dict[str, Any] | None:
        """The record of a repetition; None if it was stopped, or is held."""
        if name not in self.arm_points:
            with self._slots.taken():
                return self._train(name, k, None)
        slot = Slot(self._slots)  # given up wherever it waits for others of its arm
        slot.take()
        try:
            return self._train(name, k, slot)
        finally:
            slot.give_up()

    def _train(self, name: str, k: int, slot: Slot | None) -> dict[str, Any] | None:
        arm, control = self._experiment.arms[name], self._control

        def report(progress: SeedProgress) -> None:
            self._listener.advance(name, progress)
            control.reports((name, k), progress.headline, progress.ended)

        if self.stop.is_set() or control.is_stopped:
            return None
        if self.worker_pool is not None and goes_to_pool(arm):
            remote = RemoteGate()

            def report_remote(progress: SeedProgress) -> None:
                remote.played(progress.rounds // arm.train.copies)
                report(progress)

            with control.seed((name, k), remote):
                return self.worker_pool.train(name, k, report_remote, remote)
        gate = Gate(self.stop.is_set)
        with control.seed((name, k), gate):
            points = self.arm_points.get(name)
            return train_seed(self._run, arm, k, report, gate, points, slot, self._live)


def _train_jobs(
    experiment: Experiment,
    run: RunFolder,
    jobs: Sequence[Job],
    records: Records,
    listener: ProgressListener,
    control: RunControl,
    ahead: Ahead,
    live: MakeSource | None,
) -> None:
    """Do the jobs side by side and add their records.

    Python delivers Ctrl-C to the main thread, which waits here. A mistake or Ctrl-C sets `stop`:
    seeds on their way look at it between two stretches of rounds, save, and return None. Whatever
    is being compiled then is compiled to its end first.
    """
    worker_pool = WorkerPool(run) if needs_pool(experiment, jobs) else None
    arm_points = _arm_points(experiment, records)
    trainer = _Trainer(experiment, run, listener, control, worker_pool, arm_points, live)
    # Repetitions that wait for one another need a thread each, or none would come to the point.
    most = max(1, sum(name in arm_points for name, _ in jobs))
    with ThreadPoolExecutor(workers()) as threads, ThreadPoolExecutor(most) as more:
        try:
            for generation in generations(experiment, jobs):
                futures = {
                    (more if job[0] in arm_points else threads).submit(trainer.train, *job): job
                    for job in generation
                }
                for future in as_completed(futures):
                    record = future.result()
                    if record is not None:
                        records[futures[future]] = record
                        ahead.ended(futures[future][0], records)
                    if control.is_stopped:
                        raise Stopped(signal.SIGINT)
                if any(job not in records for job in generation):
                    return  # a breaker holds one that the next generation may start from
        except BaseException:
            trainer.stop.set()
            if worker_pool is not None:
                worker_pool.stop()
            for pool in (threads, more):
                pool.shutdown(wait=True, cancel_futures=True)
            raise
        finally:
            if worker_pool is not None:
                worker_pool.stop()
                worker_pool.wait()


def _arm_points(experiment: Experiment, records: Records) -> dict[str, ArmPoints]:
    """By name, the points of arms whose repetitions are judged together, with what those that are
    finished have read there.

    Raises:
        ConfigError: a record does not say what was read.
    """
    found = {}
    for name, arm in experiment.arms.items():
        if arm.has_arm_breakers:
            own = {k: record for (n, k), record in records.items() if n == name}
            try:
                ended = {
                    k: [given_from(given) for given in record["arm_points"]["given"]]
                    for k, record in own.items()
                }
            except (LookupError, TypeError, ValueError) as error:
                raise ConfigError(f"arm {name}: its records cannot be read ({error!r}).") from None
            found[name] = ArmPoints(arm.seeds, ended)
    return found
