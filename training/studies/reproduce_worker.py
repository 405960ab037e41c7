"""A process that reproduces experiments: `python -m tacit.training.studies.reproduce_worker`.

Its argument is the folder of results, its parent `side_by_side.py`. Lines of standard input are
names of experiments; each is answered by a line of JSON on standard output: an `Reproduction`, or
`{"mistakes": [...]}`. At SIGTERM it saves what is under way, and exits; if standard input is
closed, it exits at once.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from pathlib import Path
from typing import TextIO

from tacit.envs.errors import ConfigError
from tacit.envs.plugins import load_plugins
from tacit.training.config.load import load
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import Interrupted

from .reproduce import outcome


def main() -> None:
    """Reproduce what the parent asks for."""
    # Standard output is for answers alone: what libraries print goes to standard error instead.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    names: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read_names, args=(names,), daemon=True).start()
    load_plugins()
    while True:
        _reproduce(names.get(), Path(sys.argv[1]), answers)


def _reproduce(name: str, results: Path, answers: TextIO) -> None:
    try:
        answer = outcome(load(name), (), results, NoProgress())._asdict()
    except ConfigError as error:
        answer = {"mistakes": error.mistakes}
    except Interrupted as stopped:
        sys.exit(stopped.exit_code)
    print(json.dumps(answer), file=answers, flush=True)


def _read_names(names: queue.Queue[str]) -> None:
    """Read standard input beside the work, so that the parent's end is seen at once."""
    for line in sys.stdin:
        names.put(line.strip())
    # Not sys.exit: that would end this thread only.
    os._exit(0)


if __name__ == "__main__":
    main()
