"""Runs an experiment: every arm, every seed, side by side, what is finished already kept.

    from tacit.training import train
    summary = train("volatility_kpi", ["seeds=8"], name="mine")

A job is one seed of one arm. Seeds share nothing, so their order and the number of threads change
no result. Compiled loops run outside the interpreter lock, so threads are enough, except for
networks (`worker_pool.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from tacit.oversight.ledger import Ledger
from tacit.training.board import EventFile, write_bands, write_run_pages, write_verdicts
from tacit.training.config.arms import Experiment
from tacit.training.config.load import load
from tacit.training.storage import checkpoint
from tacit.training.storage.atomic_files import write_json
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.machine import workers
from tacit.training.storage.run_config import check_same_run, write_run_config
from tacit.training.storage.run_folder import RunFolder, named

from .goodhart import add_goodhart_gaps
from .judging import judge
from .partial import save_notes
from .probing import complete
from .progress import NoProgress, ProgressListener, SeedProgress
from .seed_run import train_seed
from .summary import arm_summary, assemble, read_summary
from .warm_start import check_warm_starts, generations
from .worker_pool import WorkerPool, has_networks, needs_pool

RESULTS = Path("results")

Job = tuple[str, int]  # the name of an arm, and the number of the repetition
Records = dict[Job, dict[str, Any]]  # what a finished seed's checkpoint.json holds


class Interrupted(Exception):
    """Training was stopped by the user; all that was learned is kept."""


def train(
    config: str | Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    arms: Sequence[str] = (),
    as_arm: str | None = None,
    name: str | None = None,
    results: str | Path = RESULTS,
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
        ConfigError: mistakes in the configuration, or a run folder that holds something else.
        Interrupted: stopped by Ctrl-C; call again, or `tacit resume`, to go on.
    """
    experiment = load(config, overrides, arms, as_arm)
    run = named(Path(results), name or experiment.name)
    return train_experiment(experiment, run, listener or NoProgress())


def train_experiment(
    experiment: Experiment, run: RunFolder, listener: ProgressListener
) -> dict[str, Any]:
    """Train what is missing of an experiment's arms in a run folder.

    Returns:
        The summary of all arms of the run, as written to summary.json.

    Raises:
        ConfigError: the folder holds something else or cannot be written, or a seed cannot be
            trained.
        Interrupted: stopped by Ctrl-C.
    """
    # Everything that can be refused is refused before anything is trained.
    config = run.read_config()
    check_same_run(experiment, config, run)
    read_summary(run.summary)
    run.prepare()
    for note in experiment.notes:
        listener.note(note)
    check_warm_starts(experiment, run, config)
    names = write_run_config(experiment, config, run)
    ledger = Ledger(run.ledger)
    jobs, records = plan(experiment, run)
    for arm, k in jobs:
        for note in save_notes(run.seed(arm, k)):
            listener.note(note)
    seeds = len(jobs) + len(records)
    try:
        if jobs:
            hashes = {name: arm.kpi_hash for name, arm in experiment.arms.items()}
            ledger.append("training started", arms=list(experiment.arms), kpi_hashes=hashes)
            listener.begin(*_rounds(experiment, jobs))
        else:
            listener.note(f"{run.path}: trained already; nothing to do")
        with EventFile(run.path) as events:
            write_run_pages(events, read_experiment(run))
        # Linear algebra must not start threads of its own beside those that train.
        with threadpool_limits(limits=1):
            _train_jobs(experiment, run, jobs, records, listener)
        return finish(experiment, run, records, names, ledger if jobs else None)
    except KeyboardInterrupt:
        ledger.append("training interrupted", finished=len(records), of=seeds)
        raise Interrupted(run.name) from None


def plan(experiment: Experiment, run: RunFolder) -> tuple[list[Job], Records]:
    """The jobs to do, and the records of the seeds that are finished in the folder."""
    jobs: list[Job] = []
    records: Records = {}
    for name, arm in experiment.arms.items():
        for k in range(arm.seeds):
            record = checkpoint.finished(run.checkpoint(name, k))
            if record is not None and arm.same(record.get("arm", {})):
                records[name, k] = record
            else:
                jobs.append((name, k))
    return jobs, records


def _rounds(experiment: Experiment, jobs: Sequence[Job]) -> tuple[int, int]:
    """Rounds of all seeds and copies, and how many of them are finished."""
    rounds = {name: arm.train.rounds * arm.train.copies for name, arm in experiment.arms.items()}
    total = sum(rounds[name] * arm.seeds for name, arm in experiment.arms.items())
    return total, total - sum(rounds[name] for name, _ in jobs)


def _train_jobs(
    experiment: Experiment,
    run: RunFolder,
    jobs: Sequence[Job],
    records: Records,
    listener: ProgressListener,
) -> None:
    """Do the jobs side by side and add their records.

    Python delivers Ctrl-C to the main thread, which waits here. A mistake or Ctrl-C sets `stop`:
    seeds on their way look at it between two stretches of rounds, save, and return None. Whatever
    is being compiled then is compiled to its end first.
    """
    stop = threading.Event()
    worker_pool = WorkerPool(run) if needs_pool(experiment, jobs) else None

    def do(name: str, k: int) -> dict[str, Any] | None:
        arm = experiment.arms[name]

        def report(progress: SeedProgress) -> None:
            listener.advance(name, progress)

        if worker_pool is not None and has_networks(arm):
            return None if stop.is_set() else worker_pool.train(name, k, report)
        return train_seed(run, arm, k, report, stop.is_set)

    with ThreadPoolExecutor(workers()) as threads:
        try:
            for generation in generations(experiment, jobs):
                futures = {threads.submit(do, *job): job for job in generation}
                for future in as_completed(futures):
                    record = future.result()
                    if record is not None:
                        records[futures[future]] = record
        except BaseException:
            stop.set()
            if worker_pool is not None:
                worker_pool.stop()
            threads.shutdown(wait=True, cancel_futures=True)
            raise
        finally:
            if worker_pool is not None:
                worker_pool.stop()
                worker_pool.wait()


def finish(
    experiment: Experiment,
    run: RunFolder,
    records: Records,
    names: Sequence[str],
    ledger: Ledger | None,
) -> dict[str, Any]:
    """Complete a run whose seeds are all trained: probes, verdicts, bands, summary.json, ledger.

    Args:
        experiment: what was trained.
        run: its folder.
        records: of every seed of these arms.
        names: of all arms of the run, in order.
        ledger: where the end of training is recorded; None if nothing was trained.

    Returns:
        The summary of all arms.
    """
    summaries = read_summary(run.summary)
    for name, arm in experiment.arms.items():
        own = [records[name, k] for k in range(arm.seeds)]
        complete(run, arm, own)
        summaries[name] = arm_summary(experiment.name, arm, own)
    # Gaps and verdicts compare arms: all that have a summary are judged anew.
    arms = {a: arm for a, arm in read_experiment(run).arms.items() if a in summaries}
    add_goodhart_gaps(arms, summaries)
    judge(arms, summaries)
    for name, arm in experiment.arms.items():
        with EventFile(run.band(name)) as events:
            write_bands(events, [run.seed(name, k) for k in range(arm.seeds)], arm)
            write_verdicts(events, run.band(name), name, summaries[name])
    in_order = {name: summaries[name] for name in names if name in summaries}
    summary = assemble(experiment.name, in_order)
    write_json(run.summary, summary)
    if ledger is not None:
        ledger.append("training finished", arms=list(experiment.arms))
    return summary
