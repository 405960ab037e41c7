"""Seeds with networks, trained in processes of their own.

A learner of networks spends about half of its time in Python, which runs one thread at a time:
threads would wait for one another. So every thread of a run that has much of it to do keeps a
process (`worker.py`) and hands it one seed after the other. Tabular loops run outside the
interpreter lock; for them threads are enough.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from tacit.agents.neural.config import BatchConfig
from tacit.envs.errors import ConfigError
from tacit.training.config.arms import Arm, Experiment

from .machine import workers
from .run_folder import RunFolder
from .seed_run import Progress
from .worker import STOP

WORTH_IT = 1_000_000  # rounds of a copy; below, a process takes longer to start than it saves


def has_networks(arm: Arm) -> bool:
    """Whether some seat learns with a network."""
    return any(isinstance(config, BatchConfig) for config in arm.agents.values())


def needs_pool(experiment: Experiment, jobs: Sequence[tuple[str, int]]) -> bool:
    """Whether these jobs are worth processes."""
    arms = [experiment.arms[name] for name, _ in jobs]
    rounds = [arm.train.rounds * arm.train.copies for arm in arms if has_networks(arm)]
    return workers() > 1 and len(rounds) > 1 and sum(rounds) >= WORTH_IT


class WorkerPool:
    """The processes of a run, one a thread, started when a thread first asks."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self._own = threading.local()
        self._all: list[subprocess.Popen[str]] = []

    def train(self, name: str, k: int, tell: Callable[[Progress], None]) -> dict[str, Any] | None:
        """As `group.train_seed`, in this thread's process.

        Raises:
            ConfigError: the seed's mistakes, or a process that ended without an answer.
        """
        process = self._process()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            print(json.dumps({"arm": name, "seed": k}), file=process.stdin, flush=True)
            for line in process.stdout:
                said = json.loads(line)
                if "progress" in said:
                    tell(Progress(**said["progress"]))
                elif "mistakes" in said:
                    raise ConfigError(said["mistakes"])
                else:
                    record: dict[str, Any] | None = said["record"]
                    return record
        except BrokenPipeError:
            pass
        raise ConfigError(
            f"{self.run.path}: the process that trained seed {k} of arm {name} ended with exit "
            f"code {process.wait()}. What was saved is kept: tacit resume {self.run.name}"
        )

    def _process(self) -> subprocess.Popen[str]:
        if not hasattr(self._own, "process"):
            # (in a session of its own: Ctrl-C is for whoever asked, who then says `stop`; -P: what
            # lies in the folder where somebody works, `queue.py` say, is no library of ours)
            self._own.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tacit.training.runs.worker", str(self.run.path)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
                start_new_session=True,
            )  # fmt: skip
            self._all.append(self._own.process)
        process: subprocess.Popen[str] = self._own.process
        return process

    def stop(self) -> None:
        """Tell all to save and leave."""
        for process in self._all:
            try:
                print(json.dumps(STOP), file=process.stdin, flush=True)
            except (BrokenPipeError, ValueError):
                continue

    def wait(self) -> None:
        """Until all have left, after `stop`."""
        for process in self._all:
            process.communicate()
