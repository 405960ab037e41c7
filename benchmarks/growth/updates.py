"""What an update of policy tables costs: many batches in one compiled call, and one by one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

from tacit.agents.batch.group import BatchGroup
from tacit.training.config.load import load

CONFIG, ARM = "bluff_equilibrium", "scarcity_.2"
COPIES = (64, 512)  # the experiment has 512
REPEATS, UPDATES = 7, 500


def update_times() -> Iterator[tuple[int, float, float]]:
    """Copies, and CPU-microseconds of a round and the updates after it, in one call and one by one.

    Medians of repeats in turns.
    """
    for copies in COPIES:
        arm = load(CONFIG, [f"train.copies={copies}", "seeds=1"], [], None).arms[ARM]
        whole, single = arm.group(0), arm.group(0)
        assert isinstance(whole, BatchGroup)
        assert isinstance(single, BatchGroup)
        single.batches_at_once = None
        found: tuple[list[float], list[float]] = [], []
        for _ in range(REPEATS + 1):
            for group, times in zip((whole, single), found, strict=True):
                before = time.thread_time()
                group.run(UPDATES)
                times.append(1e6 * (time.thread_time() - before) / UPDATES)
        yield copies, median(found[0][1:]), median(found[1][1:])
