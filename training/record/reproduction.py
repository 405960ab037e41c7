"""`tacit audit reproduce`: a run trained once more, from configuration, seeds and acts alone.

Verification plays from one kept state to the next. This needs no kept state: in an empty folder it
writes the run's config.yaml and a ledger that holds nothing but the acts that change what is
learned, and trains. Each repetition comes to the same acts at the same rounds, as one does that was
interrupted (`tacit.training.acts.schedule`). What it ends with must be the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tacit.envs.errors import ConfigError
from tacit.oversight import ledger as ledgers
from tacit.oversight.ledger import Ledger
from tacit.training.acts.schedule import changes_of
from tacit.training.config.arms import Experiment
from tacit.training.runs.breakers import RELEASED
from tacit.training.runs.held import held, release
from tacit.training.runs.progress import ProgressListener
from tacit.training.runs.runner import Paused, train_experiment
from tacit.training.runs.warm_start import ancestors, bench_state
from tacit.training.storage import checkpoint
from tacit.training.storage.live.answers_file import ANSWERS_SHA256, recorded_answers
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.machine import machine
from tacit.training.storage.run_folder import RunFolder
from tacit.training.trust.live_doors import MakeSource

from .signing import choose_arms

# Keys of a repetition's record that say when and where it was trained, and not what came out.
# Answers of a live agent to what was only looked at (an act that was tried) are among those kept.
OF_A_TRAINING = ("machine", "seconds", "events_sha256", "seal", ANSWERS_SHA256)

KEPT = ("id", "what", "by", "reason", "changes")  # keys of an act


class TrainedAgain(NamedTuple):
    """What training a run once more has shown.

    Attributes:
        seeds: how many repetitions were compared.
        changes: how many acts changed what they learned.
        differing: repetitions that came out otherwise, with what differs, a line each.
        elsewhere: lines on repetitions that came out otherwise, but were trained on another type of
            machine, where bits may differ.
    """

    seeds: int
    changes: int
    differing: tuple[str, ...]
    elsewhere: tuple[str, ...]


def reproduce_run(run: RunFolder, arms: Sequence[str], listener: ProgressListener) -> TrainedAgain:
    """Train a run once more, elsewhere, and compare.

    Args:
        run: the run; nothing is written to it.
        arms: which arms, and those that they start from; empty: all.
        listener: receives progress.

    Raises:
        ConfigError: the run cannot be read or trained, or no repetition of it is finished.
    """
    experiment = _chosen(read_experiment(run), arms)
    entries = ledgers.read(run.ledger) if run.ledger.exists() else []
    records = _records(run, experiment)
    if not records:
        raise ConfigError(f"{run.path}: no seed of it is finished; {run.resume}")
    with TemporaryDirectory() as folder:
        again = RunFolder(Path(folder) / run.name)
        again.path.mkdir()
        changes = _write_acts(again, entries)
        for arm in experiment.arms.values():
            if arm.bench is not None:  # it begins with this state, whose hash is in its config
                path = bench_state(again, arm, 0)
                path.parent.mkdir(parents=True)
                path.write_bytes(bench_state(run, arm, 0).read_bytes())
        _train(experiment, again, entries, listener, partial(recorded_answers, run))
        return _compared(records, _records(again, experiment), changes)


def _chosen(experiment: Experiment, arms: Sequence[str]) -> Experiment:
    """The arms that are asked for, and those that they start from.

    Raises:
        ConfigError: there is no such arm.
    """
    asked = choose_arms(experiment, arms)
    wanted = {name for own in asked for name in (own, *ancestors(own, experiment.arms))}
    kept = {name: arm for name, arm in experiment.arms.items() if name in wanted}
    return replace(experiment, arms=kept)


def _records(run: RunFolder, experiment: Experiment) -> dict[tuple[str, int], Mapping[str, Any]]:
    """Records of the finished repetitions of some arms."""
    found: dict[tuple[str, int], Mapping[str, Any]] = {}
    for name, arm in experiment.arms.items():
        for k in range(arm.seeds):
            record = checkpoint.finished(run.checkpoint(name, k))
            if record is not None:
                found[name, k] = record
    return found


def _write_acts(run: RunFolder, entries: Sequence[Mapping[str, Any]]) -> int:
    """Begin a ledger with the acts of people that change what is learned; returns how many."""
    changing = [entry for entry in entries if changes_of(entry)]
    for entry in changing:
        kept = {key: entry[key] for key in KEPT if key in entry}
        Ledger(run.ledger).append(str(entry["act"]), **kept)
    return len(changing)


def _train(
    experiment: Experiment,
    run: RunFolder,
    entries: Sequence[Mapping[str, Any]],
    listener: ProgressListener,
    live: MakeSource,
) -> None:
    """Train, and release what a breaker holds as often as a person has released it."""
    left = [entry for entry in entries if entry.get("act") == RELEASED]
    while True:
        try:
            train_experiment(experiment, run, listener, live=live)
            return
        except Paused:
            names = {trip["breaker"] for _, _, trip in held(run, experiment)}
            released = [entry for entry in left if entry.get("breaker") in names]
            if not released:
                return  # as in the run, where it is held to this day
            with suppress(ConfigError):
                release(run, experiment, str(released[0]["breaker"]))
            left = [entry for entry in left if entry is not released[0]]


def _compared(
    records: Mapping[tuple[str, int], Mapping[str, Any]],
    again: Mapping[tuple[str, int], Mapping[str, Any]],
    changes: int,
) -> TrainedAgain:
    """Compare repetitions by their records, which hold the SHA-256 of all states."""
    differing, elsewhere = list[str](), list[str]()
    for (arm, k), record in records.items():
        own = again.get((arm, k), {})
        keys = [key for key in record if key not in OF_A_TRAINING]
        other = [key for key in keys if record[key] != own.get(key)]
        if not other:
            continue
        line = f"{arm}/s{k}: {', '.join(other)}"
        theirs, here = record.get("machine") or {}, machine()
        same_machine = all(theirs.get(key) == here[key] for key in here)
        (differing if same_machine else elsewhere).append(line)
    return TrainedAgain(len(records), changes, tuple(differing), tuple(elsewhere))
