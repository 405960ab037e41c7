"""What the attacks share: a run to attack, a process to kill, and how a trial is counted."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tacit.envs.errors import ConfigError
from tacit.training.config.load import load
from tacit.training.runs import worker_pool
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import Interrupted, train_experiment
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.run_folder import RunFolder

TABULAR = ("train.rounds=40000", "train.measure_last=5000", "seeds=3")
NETWORKS = (
    "agents.bidder_0=ippo", "agents.bidder_0.rounds_per_update=16", "agents.bidder_0.hidden=[8]",
    "train.evaluate_every=160", "train.copies=4", "train.rounds=1600", "train.measure_last=160",
    "seeds=3",
)  # fmt: skip
PATIENCE = 60  # seconds after which an attempt counts as one that hangs


@dataclass
class Outcome:
    """What became of the trials of one attack.

    Attributes:
        attack: what was tried, in a few words.
        expected: what must come of it.
        trials: how many.
        failures: of these, what went wrong otherwise, a line each.
    """

    attack: str
    expected: str
    trials: int = 0
    failures: list[str] = field(default_factory=list)

    def count(self, failure: str | None) -> None:
        """Add a trial; None: it ended as expected."""
        self.trials += 1
        if failure is not None:
            self.failures.append(failure)


Attack = Callable[[Path, int], list[Outcome]]  # a folder to work in, and how many trials


def chance(name: str) -> random.Random:
    """A generator that starts the same for the same attack."""
    return random.Random(name)


def train(results: Path, settings: tuple[str, ...], **options: Any) -> None:
    """Train the small run that is attacked; as quick as may be."""
    experiment = load("ad_auction", settings, **options)
    train_experiment(experiment, RunFolder(results / "ad_auction"), NoProgress())


def interrupt(results: Path) -> None:
    """Begin that run, and stop it with saves of seeds under way."""

    class Stop(NoProgress):
        left = 40  # reports of progress

        def advance(self, arm: str, progress: object) -> None:
            Stop.left -= 1
            if Stop.left == 0:
                raise KeyboardInterrupt

    try:
        train_experiment(load("ad_auction", TABULAR), RunFolder(results / "ad_auction"), Stop())
    except Interrupted:
        return
    raise AssertionError("it was not interrupted")


def resume(results: Path) -> dict[str, Any]:
    """What `tacit resume` does; the summary."""
    run = RunFolder(results / "ad_auction")
    return train_experiment(read_experiment(run), run, NoProgress())


def weights(results: Path) -> dict[str, bytes]:
    """What was learned and kept on the way: checkpoints and keyframes, by their paths."""
    names = ("checkpoint.safetensors", "keyframes.safetensors")
    paths = sorted(path for name in names for path in results.rglob(name))
    return {str(path.relative_to(results)): path.read_bytes() for path in paths}


def contents(folder: Path) -> dict[str, bytes | str]:
    """Every file below a folder, and where links lead."""
    found: dict[str, bytes | str] = {}
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(parent, name)
            key = str(path.relative_to(folder))
            if path.is_symlink():
                found[key] = f"-> {os.readlink(path)}"
            elif path.is_file():
                found[key] = path.read_bytes()
            else:
                found[key] = "folder"
    return found


def fresh_copy(source: Path, target: Path) -> Path:
    """A copy of a folder, in place of whatever is there."""
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(source, target, symlinks=True)
    return target


@contextmanager
def eager_workers() -> Iterator[None]:
    """Within, networks train in worker processes however short they train."""
    before = worker_pool.WORTH_IT, os.environ.get("TACIT_THREADS")
    worker_pool.WORTH_IT = 0
    os.environ["TACIT_THREADS"] = "2"
    try:
        yield
    finally:
        worker_pool.WORTH_IT = before[0]
        if before[1] is None:
            del os.environ["TACIT_THREADS"]
        else:
            os.environ["TACIT_THREADS"] = before[1]


class Child:
    """A forked process that does something and tells how it ended."""

    def __init__(self, do: Callable[[], object]) -> None:
        read, write = os.pipe()
        self.pid = os.fork()
        if self.pid:
            os.close(write)
            self._answer = os.fdopen(read)
            return
        os.close(read)
        told, said = "done", os.memfd_create("said")
        try:
            os.dup2(said, 2)
            do()
        except ConfigError as error:
            told = f"refused: {error}"
        except Interrupted as error:
            told = f"interrupted: {error.exit_code}"
        except BaseException as error:
            told = f"failed: {error!r}"
        if told.startswith(("refused", "failed")):  # its workers' errors are told nowhere else
            told += "\n" + os.pread(said, 10**6, 0)[-2000:].decode(errors="replace")
        with os.fdopen(write, "w") as answer:
            json.dump(told, answer)
        os._exit(0)

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._answer.close()

    def join(self, seconds: float = PATIENCE) -> str:
        """How it ended: 'done', 'refused: ...', 'interrupted: ...', 'failed: ...' or 'hung'."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                text = self._answer.read()
                self._answer.close()
                return str(json.loads(text)) if text else "died"
            time.sleep(0.01)
        self.kill()
        return "hung"


def duration(do: Callable[[], object]) -> float:
    """Seconds that something takes in a process of its own."""
    began = time.monotonic()
    ended = Child(do).join(600)  # loops may have to be compiled first
    assert ended == "done", ended
    return time.monotonic() - began
