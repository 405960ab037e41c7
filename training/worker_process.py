"""Worker processes: they answer lines on standard input by lines of JSON on standard output."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

from tacit.envs.plugins import hand_over

# -P: modules in the working folder, `queue.py` say, must not replace the library's.
RUNS = (sys.executable, "-P", "-m")  # and the name of a module


def start_worker(words: Sequence[str], **environment: str) -> subprocess.Popen[str]:
    """A worker process, which knows what is registered in this one.

    Ctrl-C reaches its parent only, which then ends it.

    Args:
        words: that start it, such as `[*RUNS, "tacit.training.runs.worker"]`.
        environment: variables beside those of this process.
    """
    return subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, **hand_over(), **environment},
        start_new_session=True,
    )


def close_worker(process: subprocess.Popen[str]) -> int:
    """Let a worker end after what it does now; returns its exit code."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):  # it has ended already
        process.stdin.close()
    code = process.wait()
    process.stdout.close()
    return code
