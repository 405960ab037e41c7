"""The serial share: CPU time that only one thread of a process can spend at a time.

A run is trained with one thread. Compiled loops give up the interpreter lock, so what the process
spends outside of calls of them is, at most, the time for which the lock is held: no number of
threads makes the run shorter. (Checksums and files give it up as well, so the truth is a little
less.) The process that draws plots has an interpreter of its own.
"""

from __future__ import annotations

import os
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from tacit.envs.jit import loops

CONFIG = "volatility_kpi"


class Serial(NamedTuple):
    """CPU-seconds of a run.

    Attributes:
        seeds: that were trained.
        compiled: in compiled loops, without the interpreter lock.
        outside: in all else, from the first import of the run's code to its end.
        beside: of other processes, which draw plots.
    """

    seeds: int
    compiled: float
    outside: float
    beside: float

    def floor(self, threads: int) -> float:
        """Seconds below which so many threads on as many cores cannot come."""
        return max(self.outside, (self.outside + self.compiled + self.beside) / threads)


class _Clock:
    """CPU time within compiled loops, of all threads."""

    def __init__(self) -> None:
        self.seconds, self._lock, self._own = 0.0, threading.Lock(), threading.local()

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, its time taken; a call within another is part of it."""

        def timed(*words: Any, **named: Any) -> Any:
            if getattr(self._own, "within", False):
                return call(*words, **named)
            self._own.within, before = True, time.thread_time()
            try:
                return call(*words, **named)
            finally:
                self._own.within = False
                with self._lock:
                    self.seconds += time.thread_time() - before

        return timed


class _Timed:
    """A module of compiled loops whose functions are timed."""

    def __init__(self, module: ModuleType, clock: _Clock) -> None:
        self._module, self._clock, self.__name__ = module, clock, module.__name__

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        timed = self._clock.around(found) if hasattr(found, "py_func") else found
        setattr(self, name, timed)
        return timed


def serial_share(settings: list[str]) -> Serial:
    """Train an experiment with one thread, in a folder that is removed.

    Args:
        settings: `key=value` words.
    """
    os.environ["TACIT_THREADS"] = "1"
    clock, compiled = _Clock(), loops._compiled
    loops._compiled = lambda template, market: _Timed(compiled(template, market), clock)
    from tacit.training.config.load import load
    from tacit.training.runs.progress import NoProgress
    from tacit.training.runs.runner import train_experiment
    from tacit.training.storage.run_folder import RunFolder
    from tacit.training.studies.figures import draw_in_run

    before = _spent()
    experiment = load(CONFIG, settings, [], None)
    try:
        with tempfile.TemporaryDirectory() as folder:
            run = RunFolder(Path(folder) / CONFIG)
            train_experiment(experiment, run, NoProgress(), draw_in_run)
    finally:
        loops._compiled = compiled
    own, others = (after - first for after, first in zip(_spent(), before, strict=True))
    seeds = sum(arm.seeds for arm in experiment.arms.values())
    return Serial(seeds, clock.seconds, own - clock.seconds, others)


def _spent() -> tuple[float, float]:
    """CPU-seconds of this process, and of those that it has started and that have ended."""
    found = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return found[0].ru_utime + found[0].ru_stime, found[1].ru_utime + found[1].ru_stime
