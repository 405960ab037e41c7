"""Runs: every arm, every seed, side by side; what is finished stays, what was cut is redone.

    from tacit.training import train
    summary = train("volatility_kpi", ["seeds=8"], name="mine")

A unit of work is one seed of one arm. Seeds share nothing, so their order and number of threads
change nothing. Compiled loops run outside the interpreter lock: threads are enough, but for
networks (`crew.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Protocol

from threadpoolctl import threadpool_limits

from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.oversight.ledger import Ledger
from tacit.training.board import bands
from tacit.training.board import verdict_text as words
from tacit.training.board.event_file import EventFile
from tacit.training.config.arms import Arm, Experiment
from tacit.training.config.load import load

from . import checkpoint, goodhart, partial
from .load_run import read_experiment
from .machine import workers
from .probing import complete, judge
from .run_folder import RunFolder, named
from .seed_run import Progress, train_seed
from .summary import arm_summary, assemble, read_summary
from .warm_start import check_warm_starts, generations
from .worker_pool import WorkerPool, has_networks, needs_pool

RESULTS = Path("results")


class Watcher(Protocol):
    """Who is told how training goes."""

    def begin(self, total_rounds: int, finished_rounds: int) -> None:
        """Training starts: rounds in all, and how many of them stand finished."""

    def tell(self, arm: str, progress: Progress) -> None:
        """A seed of an arm went on; called from the threads that train."""

    def note(self, text: str) -> None:
        """Something worth a line."""


class Silent:
    """A watcher that says nothing."""

    def begin(self, total_rounds: int, finished_rounds: int) -> None:
        pass

    def tell(self, arm: str, progress: Progress) -> None:
        pass

    def note(self, text: str) -> None:
        pass


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
    watcher: Watcher | None = None,
) -> dict[str, Any]:
    """Train an experiment and return its summary, as written to summary.json.

    Raises:
        ConfigError: mistakes in the configuration, or a run folder that holds something else.
        Interrupted: stopped by Ctrl-C; call again, or `tacit resume`, to go on.
    """
    experiment = load(config, overrides, arms, as_arm)
    run = named(Path(results), name or experiment.name)
    return train_experiment(experiment, run, watcher or Silent())


def train_experiment(experiment: Experiment, run: RunFolder, watcher: Watcher) -> dict[str, Any]:
    """Train what is missing of an experiment's arms in a run folder."""
    stored = run.stored()
    check_same(experiment, stored, run)
    read_summary(run.summary)  # a file that is not one is told now, not after training
    run.prepare()
    for note in experiment.notes:
        watcher.note(note)
    check_warm_starts(experiment, run, stored)
    names = write_config(experiment, stored, run)
    ledger = Ledger(run.ledger)
    jobs, records = plan(experiment, run)
    for text in (n for a, k in jobs for n in partial.notes(run.seed(a, k))):
        watcher.note(text)
    rounds = {a: arm.train.rounds * arm.train.copies for a, arm in experiment.arms.items()}
    total = sum(rounds[a] * arm.seeds for a, arm in experiment.arms.items())
    missing = sum(rounds[a] for a, _ in jobs)
    seeds = len(jobs) + len(records)
    try:
        if jobs:
            hashes = {a: arm.kpi_hash for a, arm in experiment.arms.items()}
            ledger.append("training started", arms=list(experiment.arms), kpi_hashes=hashes)
            watcher.begin(total, total - missing)
        else:
            watcher.note(f"{run.path}: trained already; nothing to do")
        with EventFile(run.path) as events:  # the run's own: HParams columns, Custom Scalars, texts
            bands.write_root(events, read_experiment(run))
        with threadpool_limits(limits=1):
            _work(experiment, run, jobs, records, watcher)
        return finish(experiment, run, records, names, ledger if jobs else None)
    except KeyboardInterrupt:
        ledger.append("training interrupted", finished=len(records), of=seeds)
        raise Interrupted(run.name) from None


def check_same(experiment: Experiment, stored: dict[str, Any] | None, run: RunFolder) -> None:
    """An arm that stands in the folder with another configuration is never overwritten."""
    clashes = [
        name
        for name, arm in experiment.arms.items()
        if stored and name in stored["arms"] and not arm.same(stored["arms"][name])
    ]
    if clashes:
        raise ConfigError(
            f"{run.path}: holds arm{'s' * (len(clashes) > 1)} {', '.join(clashes)} with another "
            "configuration, which is kept. Add this one with --as NAME, or start a run with --name "
            "or in another --results."
        )
    stored = stored or {}
    other = stored.get("question", "")
    if (
        other
        and experiment.file.question != other
        and not set(experiment.arms) & set(stored["arms"])
    ):
        raise ConfigError(
            f"{run.path}: holds another experiment ('{other}'), which is kept. Choose another "
            "--name or --results."
        )


def write_config(
    experiment: Experiment, stored: dict[str, Any] | None, run: RunFolder
) -> list[str]:
    """Add the experiment's arms to config.yaml and incentives.json; returns all arms' names."""
    about = experiment.file.model_dump(
        mode="json", exclude={"market", "kpi", "agents", "train", "arms"}
    )
    about = {k: v for k, v in about.items() if v and k not in ("seeds", "seed")}
    before = stored["arms"] if stored else {}
    arms = {**before, **{name: arm.plain for name, arm in experiment.arms.items()}}
    data = {"experiment": experiment.name, **(stored or {}), **about, "arms": arms}
    if data != stored:
        run.write_config(data)
    incentives_path = run.path / "incentives.json"
    known = checkpoint.read_json(incentives_path)
    cards = {name: incentives(arm) for name, arm in experiment.arms.items()}
    checkpoint.write_json(incentives_path, known | cards)
    return list(arms)


def incentives(arm: Arm) -> dict[str, Any]:
    """What every seat of an arm is paid for, in numbers and in words."""
    return {
        "kpi_hash": arm.kpi_hash,
        "validated_by": None,
        "seats": {
            seat: {
                "words": f"{seat} {kpis.words(terms)}",
                "terms": {name: term.model_dump() for name, term in terms.items()},
                "fundamental": arm.market.seat(seat).role.fundamental,
            }
            for seat, terms in arm.kpi.items()
        },
    }


def plan(
    experiment: Experiment, run: RunFolder
) -> tuple[list[tuple[str, int]], dict[tuple[str, int], dict[str, Any]]]:
    """Seeds to train, and records of those that stand finished in the folder."""
    jobs, records = [], {}
    for name, arm in experiment.arms.items():
        for k in range(arm.seeds):
            record = checkpoint.finished(run.checkpoint(name, k))
            if record is not None and arm.same(record.get("arm", {})):
                records[name, k] = record
            else:
                jobs.append((name, k))
    return jobs, records


def _work(
    experiment: Experiment,
    run: RunFolder,
    jobs: Sequence[tuple[str, int]],
    records: dict[tuple[str, int], dict[str, Any]],
    watcher: Watcher,
) -> None:
    """Train jobs side by side; a mistake or Ctrl-C stops the others at their next stretch."""
    stop = threading.Event()
    crew = WorkerPool(run) if needs_pool(experiment, jobs) else None

    def work(name: str, k: int) -> dict[str, Any] | None:
        arm = experiment.arms[name]

        def tell(progress: Progress) -> None:
            watcher.tell(name, progress)

        if crew is not None and has_networks(arm):
            return None if stop.is_set() else crew.train(name, k, tell)
        return train_seed(run, arm, k, tell, stop.is_set)

    with ThreadPoolExecutor(workers()) as pool:
        try:
            for generation in generations(experiment, jobs):
                futures = {pool.submit(work, *job): job for job in generation}
                for future in as_completed(futures):
                    record = future.result()
                    if record is not None:
                        records[futures[future]] = record
        except BaseException:
            stop.set()
            if crew is not None:
                crew.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        finally:
            if crew is not None:
                crew.stop()
                crew.wait()


def finish(
    experiment: Experiment,
    run: RunFolder,
    records: Mapping[tuple[str, int], dict[str, Any]],
    names: Sequence[str],
    ledger: Ledger | None,
) -> dict[str, Any]:
    """Bands, summary.json and the ledger's last line; returns the summary of all arms."""
    done = read_summary(run.summary)
    for name, arm in experiment.arms.items():
        own = [records[name, k] for k in range(arm.seeds)]
        complete(run, arm, own)
        done[name] = arm_summary(experiment.name, arm, own)
    arms = {a: arm for a, arm in read_experiment(run).arms.items() if a in done}
    goodhart.write(arms, done)
    judge(arms, done)
    for name, arm in experiment.arms.items():
        with EventFile(run.band(name)) as events:
            bands.write_band(events, run, name, arm)
            words.write(events, run.band(name), name, done[name])
    summary = assemble(experiment.name, {name: done[name] for name in names if name in done})
    checkpoint.write_json(run.summary, summary)
    if ledger is not None:
        ledger.append("training finished", arms=list(experiment.arms))
    return summary
