"""A process that trains seeds of a run for another one: `python -m tacit.training.runs.worker RUN`.

On standard input a line of JSON a seed (`{"arm": "base", "seed": 3}`), or `"stop"`: save and leave.
On standard output lines of JSON: progress, and at the end of a seed its record, `null` if it was
stopped, or the mistakes that ended it. All else goes through the run's folder. When its input ends
without a word, whoever asked is gone, and so is this process, at once: somebody may resume the run.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from threadpoolctl import threadpool_limits

from tacit.envs.errors import ConfigError
from tacit.envs.user_markets import load_user_markets

from .load_run import read_experiment
from .run_folder import RunFolder
from .seed_run import train_seed

STOP = "stop"


def main() -> None:
    """Train what is asked for until told to stop."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # (a library that prints is no answer)
    jobs: queue.Queue[dict[str, Any] | None] = queue.Queue()
    stopped = threading.Event()
    threading.Thread(target=_listen, args=(jobs, stopped), daemon=True).start()
    load_user_markets()
    run = RunFolder(Path(sys.argv[1]))
    arms = read_experiment(run).arms
    with threadpool_limits(limits=1):
        while (job := jobs.get()) is not None:
            try:
                record = train_seed(
                    run, arms[job["arm"]], job["seed"],
                    lambda progress: _say(out, progress=asdict(progress)), stopped.is_set,
                )  # fmt: skip
                _say(out, record=record)
            except ConfigError as error:
                _say(out, mistakes=error.mistakes)


def _listen(jobs: queue.Queue[dict[str, Any] | None], stopped: threading.Event) -> None:
    for line in sys.stdin:
        word = json.loads(line)
        if word == STOP:
            stopped.set()
            jobs.put(None)
            return
        jobs.put(word)
    os._exit(1)


def _say(out: TextIO, **what: Any) -> None:
    print(json.dumps(what), file=out, flush=True)


if __name__ == "__main__":
    main()
