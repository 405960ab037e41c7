"""What a fresh process waits for: `python -m benchmarks.start engine` (or `tabular`).

Prints two numbers, CPU-seconds: imports, and from there to the first finished step or round.
Nothing of tacit may be imported before the clock runs, hence the imports inside functions.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
Times = tuple[float, float]


def engine() -> Times:
    """Imports, then up to the first `Engine.step`."""
    begin = time.process_time()
    import numpy as np

    from tacit.envs.engine.engine import Engine
    from tacit.envs.registry import make_market

    imported = time.process_time()
    first = Engine(make_market("ad_auction"))
    first.reset()
    first.step(np.zeros((1, 2), np.int64))
    return imported - begin, time.process_time() - imported


def tabular() -> Times:
    """Imports, then up to the first round of `TabularGroup.run`."""
    begin = time.process_time()
    from tacit.agents.tabular.config import QLearningConfig
    from tacit.agents.tabular.group import TabularGroup
    from tacit.envs import kpi
    from tacit.envs.registry import make_market

    imported = time.process_time()
    market = make_market("ad_auction")
    configs = {seat.name: QLearningConfig(initial_q=0.0) for seat in market.seats}
    TabularGroup(market, kpi.resolve(market, None), configs, seed=0).run(1)
    return imported - begin, time.process_time() - imported


def measure(which: str, repeats: int) -> tuple[list[float], list[float]]:
    """Import and start times of so many fresh processes; one before them fills the cache."""
    command = [sys.executable, "-m", "benchmarks.start", which]
    times = []
    for _ in range(repeats + 1):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        times.append([float(word) for word in done.stdout.split()])
    return [t[0] for t in times[1:]], [t[1] for t in times[1:]]


if __name__ == "__main__":
    print(*{"engine": engine, "tabular": tabular}[sys.argv[1]]())
