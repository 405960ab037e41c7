"""SIGKILL at random moments: of the main process, of workers, of two writers at once."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from functools import partial
from pathlib import Path

from attack.trial import (
    NETWORKS,
    TABULAR,
    Child,
    Outcome,
    chance,
    duration,
    eager_workers,
    train,
    weights,
)

from tacit.envs.errors import ConfigError
from tacit.oversight import ledger
from tacit.oversight.signers import NOBODY
from tacit.training.record.verification import EVERY, verify
from tacit.training.runs.partial import save_notes
from tacit.training.storage.load_run import load_run, read_experiment
from tacit.training.storage.run_folder import RunFolder

EXPECTED = (
    "nothing lost, damaged or left over; resumed, it ends in the same bits, and an audit plays it "
    "again"
)


def kills(folder: Path, count: int) -> list[Outcome]:
    """A tabular run, a run with worker processes whose parent or worker is killed, two writers."""
    tabular, workers, two = count // 2, count // 4, count - count // 2 - count // 4
    found = [_killed(folder / "tabular", "of a tabular run", TABULAR, tabular)]
    with eager_workers():
        found.append(
            _killed(folder / "workers", "of a run with workers, or a worker", NETWORKS, workers)
        )
    found.append(_two_writers(folder / "two", two))
    return found


def _killed(folder: Path, what: str, settings: tuple[str, ...], count: int) -> Outcome:
    """Kill a run again and again; whenever it is finished, a new one is begun."""
    outcome = Outcome(f"kill -9 {what}", EXPECTED)
    whole = folder / "whole"
    length = duration(lambda: train(whole, settings))
    expected, luck, n = weights(whole), chance(what), 0
    target = folder / f"run_{n}"
    for k in range(count):
        child = Child(partial(train, target, settings))
        time.sleep(luck.uniform(0.0, length))
        if settings is NETWORKS and k % 2:
            _kill_a_worker(child)
            child.join()
        else:
            child.kill()
        outcome.count(_damage(target, expected))
        if weights(target) == expected and (target / "ad_auction/summary.json").exists():
            if wrong := verify(RunFolder(target / "ad_auction"), NOBODY, EVERY).altered:
                outcome.failures.append(f"audit of a finished run: {wrong}")
            n += 1
            target = folder / f"run_{n}"
    ended = Child(lambda: _end(target, settings)).join(300)
    if ended != "done" or weights(target) != expected:
        outcome.failures.append(f"resumed at the end: {ended}, other bits")
    return outcome


def _end(target: Path, settings: tuple[str, ...]) -> None:
    """Finish what was killed, and look at it as `tacit show` does."""
    train(target, settings)
    load_run(target / "ad_auction")
    left = list(target.rglob(".*.tmp"))
    assert not left, left
    verified = verify(RunFolder(target / "ad_auction"), NOBODY, replay=EVERY)
    assert not verified.altered, verified.altered


def _kill_a_worker(child: Child) -> None:
    """Kill one of a process's children, if it has any now."""
    words = ["pgrep", "-P", str(child.pid)]
    for pid in subprocess.run(words, capture_output=True, text=True, check=False).stdout.split():
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            continue
        return


def _damage(target: Path, expected: dict[str, bytes]) -> str | None:
    """What is wrong with a run that was killed; None if it can be gone on with."""
    run = RunFolder(target / "ad_auction")
    if not run.config.exists():
        return None  # it was killed before it had begun
    other = [p for p, data in weights(target).items() if expected.get(p) != data]
    if other:
        return f"other bits in {other}"
    if run.ledger.exists() and ledger.first_broken(run.ledger) is not None:
        return "the ledger's chain is broken"
    arms = read_experiment(run).arms
    for name, arm in arms.items():
        for k in range(arm.seeds):
            # A save is two files. Killed between them, it is left out, but never read.
            if any("checkpoint" in note for note in save_notes(run.seed(name, k))):
                return f"a damaged checkpoint in {run.seed(name, k)}"
    try:
        load_run(run.path)
    except ConfigError as error:
        if "a command was interrupted while it wrote the results" not in str(error):
            return str(error)
    return None


def _two_writers(folder: Path, count: int) -> Outcome:
    """Two commands start on one run; one of them is killed at a random moment."""
    outcome = Outcome("kill -9 of one of two writers of one run", EXPECTED)
    whole = folder / "whole"
    length = duration(lambda: train(whole, TABULAR))
    expected, luck = weights(whole), chance("two writers")
    for k in range(count):
        wait, kills_first = luck.uniform(0.0, length), luck.random() < 0.5
        outcome.count(_one_of_two(folder / f"run_{k}", wait, kills_first, expected))
    return outcome


def _one_of_two(
    target: Path, wait: float, kills_first: bool, expected: dict[str, bytes]
) -> str | None:
    """Kill one of two writers after so many seconds; None if nothing was lost."""
    first, second = (Child(lambda: train(target, TABULAR)) for _ in range(2))
    time.sleep(wait)
    killed, other = (first, second) if kills_first else (second, first)
    killed.kill()
    other.join()
    failure = _damage(target, expected)
    if failure is None and (target / "ad_auction/config.yaml").exists():
        ended = Child(lambda: _end(target, TABULAR)).join(120)
        if ended != "done" or weights(target) != expected:
            failure = f"resumed: {ended}"
    return failure
