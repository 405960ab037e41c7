"""Reproductions side by side: `tacit reproduce --all` on more than one core.

An experiment alone leaves cores idle: while the last seed of an arm ends, while one thread computes
what all seeds of an arm need, while tables and figures are made. So each of up to `MOST_PROCESSES`
processes (`reproduce_worker.py`) has a share of the cores and takes one experiment after the other,
the longest first. Results do not depend on that: seeds share nothing.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tacit.envs.errors import ConfigError
from tacit.training.runs.runner import Interrupted
from tacit.training.runs.signals import stopping_on_signals
from tacit.training.storage.machine import workers
from tacit.training.worker_process import RUNS, close_worker, start_worker

from .reference_tables import experiment_file
from .reproduce import Reproduction

MOST_PROCESSES = 4  # each needs half a gigabyte; with more cores, each has several threads

Tell = Callable[[Reproduction], None]


def reproduce_side_by_side(names: Sequence[str], results: Path, tell: Tell) -> None:
    """Reproduce experiments in processes of their own, as they are shipped.

    Args:
        names: of the experiments.
        results: where runs are kept.
        tell: is told each outcome as soon as there is one.

    Raises:
        ConfigError: an experiment is refused, or a process ended without an answer. The others are
            stopped; what was saved is kept.
        Interrupted: stopped by a signal.
    """
    groups = in_groups(names)
    count = min(MOST_PROCESSES, workers(), len(groups))
    pool = _Pool(results, max(1, workers() // count))
    try:
        with stopping_on_signals(), ThreadPoolExecutor(count) as threads:
            try:
                futures = [threads.submit(pool.reproduce, group, tell) for group in groups]
                for future in as_completed(futures):
                    future.result()
            except BaseException:
                # First the processes, so that the threads which wait for them can end.
                pool.stop()
                threads.shutdown(wait=True, cancel_futures=True)
                raise
            finally:
                pool.close()
    except KeyboardInterrupt as error:
        raise Interrupted("all", getattr(error, "exit_code", 130)) from None


def in_groups(names: Sequence[str]) -> list[list[str]]:
    """Experiments by the run that they use, the longest group first.

    Experiments of a group follow one another in one process: the first trains the run that the
    others share.
    """
    groups: dict[str, list[str]] = {}
    seconds: dict[str, float] = {}
    for name in names:
        file = experiment_file(name)
        run = file.shares or name
        groups.setdefault(run, []).append(name)
        seconds[run] = max(seconds.get(run, 0.0), seconds_of(file.compute))
    return [groups[run] for run in sorted(groups, key=lambda run: -seconds[run])]


def seconds_of(compute: str) -> float:
    """The seconds of an experiment's `compute`, such as `90 s` or `2 min`; 0 where it says none."""
    found = re.match(r"([\d.]+) (s|min)\b", compute)
    return float(found[1]) * (60 if found[2] == "min" else 1) if found else 0.0


class _Pool:
    """Processes that reproduce experiments, one for each calling thread."""

    def __init__(self, results: Path, threads: int) -> None:
        self._words = [*RUNS, "tacit.training.studies.reproduce_worker", str(results)]
        self._threads = str(threads)
        self._own = threading.local()  # the calling thread's process, as `process`
        self._lock = threading.Lock()  # no process is started once they were stopped
        self._all: list[subprocess.Popen[str]] = []
        self._stopped = False

    def reproduce(self, names: Sequence[str], tell: Tell) -> None:
        """Reproduce experiments one after the other in the calling thread's process.

        Raises:
            ConfigError: one is refused, or the process ended without an answer.
        """
        for name in names:
            process = self._process()
            if process is None:
                return
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(f"{name}\n")
                process.stdin.flush()
                line = process.stdout.readline()
            except BrokenPipeError:
                line = ""  # it ended before it could read the request
            if not line:
                code = process.wait()
                if self._stopped:
                    return
                raise ConfigError(
                    f"{name}: the process that reproduced it ended with exit code {code}. What was "
                    "saved is kept; the same command goes on from here."
                )
            answer = json.loads(line)
            if "mistakes" in answer:
                raise ConfigError(answer["mistakes"])
            with self._lock:
                tell(Reproduction(**answer))

    def _process(self) -> subprocess.Popen[str] | None:
        """The calling thread's process, started if it has none; None once they were stopped."""
        with self._lock:
            if self._stopped:
                return None
            if not hasattr(self._own, "process"):
                self._own.process = start_worker(self._words, TACIT_THREADS=self._threads)
                self._all.append(self._own.process)
        process: subprocess.Popen[str] = self._own.process
        return process

    def stop(self) -> None:
        """Let all processes save what is under way, and end."""
        with self._lock:
            self._stopped = True
            for process in self._all:
                process.terminate()

    def close(self) -> None:
        """Let all processes end after what they do now, and wait for that."""
        for process in self._all:
            close_worker(process)
