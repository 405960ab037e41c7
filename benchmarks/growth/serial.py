"""The serial share: CPU time of a run that more processes do not share.

A run of many seeds is trained by worker processes, one for each thread. What the process that
holds the run spends itself (it starts them, hears of their progress, computes what needs all seeds
of an arm, and writes the results) is spent by one thread at a time, at most, because Python has
one lock. So no number of workers makes the run shorter than that. Plots are drawn by a process of
their own, and each further worker costs its start once more.
"""

from __future__ import annotations

import os
import resource
import tempfile
from pathlib import Path
from typing import NamedTuple

CONFIG = "volatility_kpi"
WORKERS = 2


class Serial(NamedTuple):
    """CPU-seconds of a run.

    Attributes:
        seeds: that were trained.
        own: of the process that holds the run, from the first import of the run's code to its end.
        others: of its workers and of the process that draws plots.
    """

    seeds: int
    own: float
    others: float

    def floor(self, workers: int) -> float:
        """Seconds below which so many workers on as many cores cannot come."""
        return max(self.own, (self.own + self.others) / workers)


def serial_share(settings: list[str]) -> Serial:
    """Train an experiment by two workers, in a folder that is removed.

    Args:
        settings: `key=value` words.
    """
    os.environ["TACIT_THREADS"] = str(WORKERS)
    from tacit.training.config.load import load
    from tacit.training.runs import worker_pool
    from tacit.training.runs.progress import NoProgress
    from tacit.training.runs.runner import train_experiment
    from tacit.training.storage.run_folder import RunFolder
    from tacit.training.studies.figures import draw_in_run

    worker_pool.MANY_SEEDS = 0  # also where few are asked for
    before = _spent()
    experiment = load(CONFIG, settings, [], None)
    with tempfile.TemporaryDirectory() as folder:
        train_experiment(experiment, RunFolder(Path(folder) / CONFIG), NoProgress(), draw_in_run)
    own, others = (after - first for after, first in zip(_spent(), before, strict=True))
    return Serial(sum(arm.seeds for arm in experiment.arms.values()), own, others)


def _spent() -> tuple[float, float]:
    """CPU-seconds of this process, and of those that it has started and that have ended."""
    found = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return found[0].ru_utime + found[0].ru_stime, found[1].ru_utime + found[1].ru_stime
