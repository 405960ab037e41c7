"""Processes for seeds, where threads would wait for one another.

Python runs one thread at a time. Compiled loops give up its lock, but a learner of networks spends
much of its time in Python, and every seed some: it is saved and probed, and its curves are
written. So where an arm has networks, or a run has many seeds, each thread of the run keeps a
process of its own (`worker.py`) and sends it one seed after the other. A process takes
seconds to start and to load compiled loops, which few seeds of tables would not earn back.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import Any

from tacit.agents.batch.config import BatchConfig
from tacit.envs.errors import ConfigError
from tacit.envs.jit.compiling import WATCH
from tacit.training.acts.gate import STOP
from tacit.training.acts.remote_gate import RemoteGate
from tacit.training.config.arms import Arm, Experiment
from tacit.training.storage.machine import workers
from tacit.training.storage.run_folder import RunFolder
from tacit.training.trust.own_code import runs_own_code
from tacit.training.worker_process import RUNS, start_worker

from .progress import SeedProgress

# Below, processes take longer to start than they save: rounds of networks over all copies and
# seeds; seeds of any kind.
WORTH_IT = 1_000_000
MANY_SEEDS = 150


def has_networks(arm: Arm) -> bool:
    """Whether some seat learns with a network."""
    return any(isinstance(config, BatchConfig) for config in arm.agents.values())


def goes_to_pool(arm: Arm) -> bool:
    """Whether an arm is trained in processes, if there are any.

    Repetitions that wait for one another stay in threads of one process, which is slower. So do
    those with live agents, which this process has been told to trust, and tables beside code of
    users, which they may have registered in this process alone.
    """
    if arm.has_arm_breakers or arm.live:
        return False
    return has_networks(arm) or runs_own_code([arm])


def needs_pool(experiment: Experiment, jobs: Sequence[tuple[str, int]]) -> bool:
    """Whether these jobs, each an arm's name and a repetition, are worth processes."""
    if workers() < 2:
        return False
    pooled = {name: arm for name, arm in experiment.arms.items() if goes_to_pool(arm)}
    arms = [pooled[name] for name, _ in jobs if name in pooled]
    rounds = [arm.train.rounds * arm.train.copies for arm in arms if has_networks(arm)]
    return len(arms) >= MANY_SEEDS or (len(rounds) > 1 and sum(rounds) >= WORTH_IT)


class WorkerPool:
    """The worker processes of a run: one for each thread, started when the thread first needs it.

    `stop` and then `wait` must be called at the end, whatever happened.
    """

    def __init__(self, run: RunFolder) -> None:
        """A pool without processes; its workers read the run's config.yaml."""
        self.run = run
        self._own = threading.local()  # the calling thread's process, as `process`
        self._all: list[subprocess.Popen[str]] = []

    def train(
        self, name: str, k: int, report: Callable[[SeedProgress], None], gate: RemoteGate
    ) -> dict[str, Any] | None:
        """`seed_run.train_seed` in the calling thread's process.

        Args:
            name: of the arm.
            k: the repetition.
            report: receives the seed's progress.
            gate: of the repetition, which is turned in the process from here on.

        Returns:
            The seed's record, or None if it was stopped.

        Raises:
            ConfigError: the seed's own mistakes, or a process that ended without an answer.
        """
        process = self._process()
        assert process.stdin is not None
        assert process.stdout is not None
        compiles = False
        try:
            gate.connect(process.stdin)
            print(json.dumps({"arm": name, "seed": k}), file=process.stdin, flush=True)
            for line in process.stdout:
                if not line.endswith("\n"):
                    break  # it was killed while it wrote
                message = json.loads(line)
                if "progress" in message:
                    report(SeedProgress(**message["progress"]))
                elif "held" in message:
                    gate.heard(message["rounds"], message["held"])
                elif "compiling" in message:
                    compiles = message["compiling"]
                    WATCH.elsewhere(compiles)
                elif "facts" in message:
                    gate.facts = message["facts"]
                elif "reply" in message:
                    gate.replied(message["n"], message["reply"])
                elif "mistakes" in message:
                    raise ConfigError(message["mistakes"])
                else:
                    record: dict[str, Any] | None = message["record"]
                    return record
        except BrokenPipeError:
            pass  # it ended before it could read the request
        finally:
            if compiles:  # and will not say that it has ended
                WATCH.elsewhere(False)
        code = process.wait()
        if gate.is_stopped and code == 0:
            return None  # it was told to stop before it read the request
        raise ConfigError(
            f"{self.run.path}: the process that trained seed {k} of arm {name} ended with exit "
            f"code {code}. What was saved is kept: {self.run.resume}"
        )

    def _process(self) -> subprocess.Popen[str]:
        """The calling thread's process, started if it has none."""
        if not hasattr(self._own, "process"):
            # Ctrl-C reaches the parent only, which sends STOP to the workers.
            self._own.process = start_worker(
                [*RUNS, "tacit.training.runs.worker", str(self.run.path)]
            )
            self._all.append(self._own.process)
        process: subprocess.Popen[str] = self._own.process
        return process

    def stop(self) -> None:
        """Ask all processes to save what is under way and to exit."""
        for process in self._all:
            try:
                print(json.dumps(STOP), file=process.stdin, flush=True)
            except (BrokenPipeError, ValueError):
                continue  # it has ended, or was stopped before and its input is closed

    def wait(self) -> None:
        """Wait until all processes have exited, after `stop`."""
        for process in self._all:
            process.communicate()
