"""A process that trains cells: `python -m tacit.training.sweep.worker FOLDER`.

Its parent is `processes.py`. Lines of standard input are numbers of cells. Each is answered by
lines of JSON on standard output: `{"cell": k, "share": x}` while it goes on, and at its end
`{"cell": k, "failure": ..., "is_elsewhere": ...}`. At SIGTERM it saves what is under way, and
exits; if standard input is closed, which a killed parent does as well, it exits at once.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

from tacit.envs.errors import ConfigError
from tacit.envs.plugins import load_plugins
from tacit.training.runs.runner import Interrupted

from .cell import train_cell
from .plan import SweepPlan
from .sweep_folder import SweepFolder

TOLD_EVERY = 0.5  # seconds between two reports of a cell's share


def main() -> None:
    """Train what the parent asks for."""
    # Standard output is for answers alone: what libraries print goes to standard error instead.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    cells: queue.Queue[int] = queue.Queue()
    threading.Thread(target=_read_cells, args=(cells,), daemon=True).start()
    load_plugins()
    folder = SweepFolder(Path(sys.argv[1]))
    plan = folder.read_plan()
    while True:
        k = cells.get()
        if k >= plan.count:
            plan = folder.read_plan()  # refinement has added cells
        _train(folder, plan, k, answers)


def _train(folder: SweepFolder, plan: SweepPlan, k: int, answers: TextIO) -> None:
    told = [time.monotonic()]

    def report(share: float) -> None:
        if time.monotonic() - told[0] > TOLD_EVERY:
            told[0] = time.monotonic()
            print(json.dumps({"cell": k, "share": share}), file=answers, flush=True)

    try:
        outcome = train_cell(folder, plan, k, report)
        answer = {"failure": outcome.failure, "is_elsewhere": outcome.is_elsewhere}
    except ConfigError as error:
        answer = {"failure": error.mistakes[0], "is_elsewhere": False}
    except Interrupted as stopped:
        sys.exit(stopped.exit_code)
    print(json.dumps({"cell": k, **answer}), file=answers, flush=True)


def _read_cells(cells: queue.Queue[int]) -> None:
    """Read standard input beside the work, so that the parent's end is seen at once."""
    for line in sys.stdin:
        cells.put(int(line))
    # Not sys.exit: that would end this thread only.
    os._exit(0)


if __name__ == "__main__":
    main()
