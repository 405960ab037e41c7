"""Trains a bench at a pace, behind its socket.

`python -m tacit.training.bench.trainer RUN PACE` does so in a process of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tacit.envs.errors import ConfigError
from tacit.envs.plugins import hand_over, load_plugins
from tacit.training.acts.client import send
from tacit.training.acts.control import RunControl
from tacit.training.acts.protocol import ActRequest
from tacit.training.acts.server import serving
from tacit.training.plain_text import say
from tacit.training.runs.progress import NoProgress, ProgressListener
from tacit.training.runs.runner import Interrupted, train_experiment
from tacit.training.runs.signals import stopping_on_signals
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.run_folder import RunFolder

STARTED = 120.0  # seconds in which the process must have begun; the first time loops are compiled
ENDED = 30.0  # seconds in which it must have saved when it is asked to end


def train_bench(run: RunFolder, pace: float | None, listener: ProgressListener) -> None:
    """Train a bench to its end, at a pace.

    Args:
        run: the bench.
        pace: rounds a second; None: as many as it can.
        listener: receives progress.

    Raises:
        ConfigError: it cannot be trained.
        Interrupted: stopped by a signal or an act; everything is kept.
    """
    control = RunControl(partial(serving, run))
    control.pace = pace
    train_experiment(read_experiment(run), run, listener, control=control)


@contextmanager
def training_process(run: RunFolder, pace: float | None) -> Iterator[subprocess.Popen[str]]:
    """Within, a process of its own trains a bench; it saves and ends with the block, or with this
    process, however that ends.

    Raises:
        ConfigError: it does not begin.
    """
    words = [str(run.path), "max" if pace is None else repr(pace)]
    with stopping_on_signals():  # whatever ends this process, the block below is left
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tacit.training.bench.trainer", *words],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True,
            env={**os.environ, **hand_over()},
        )  # fmt: skip
        try:
            wait_for(process, run)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(ENDED)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()


def wait_for(process: subprocess.Popen[str], run: RunFolder) -> None:
    """Wait until a process takes acts on a run.

    Raises:
        ConfigError: it has ended, or does not begin.
    """
    deadline = time.monotonic() + STARTED
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if send(run, ActRequest(id="begun", act="status", by="bench")).screen["seeds"]:
                return
        except ConfigError:
            pass  # not yet
        time.sleep(0.05)
    raise ConfigError(f"{run.path}: the bench has not begun, or has ended already.")


def _end_with_parent() -> None:
    """Save and end when standard input is closed: nobody can see the bench any more."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Train the bench that the command line names."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    load_plugins()
    pace = None if sys.argv[2] == "max" else float(sys.argv[2])
    try:
        train_bench(RunFolder(Path(sys.argv[1])), pace, NoProgress())
    except Interrupted as stopped:
        sys.exit(stopped.exit_code)
    except ConfigError as error:
        for line in error.mistakes:
            say(line, is_error=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
