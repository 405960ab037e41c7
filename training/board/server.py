"""The TensorBoard process on a run, and links to its pages that colour runs by arm."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

HOST = "127.0.0.1"  # loopback: nobody else in the network sees the run
BANDS, SEEDS = "/_band$", r"/s\d+$"  # names of curves: means over an arm's seeds; single seeds
MEANS = "^band/.*/mean$"  # tags
PORTS = 100  # tried one after the other
GRACE = 3.0  # seconds that TensorBoard has to end by itself
INTERRUPTED = 130  # exit code of a process that Ctrl-C has ended


def free_port(wanted: int = 6006) -> int:
    """The wanted port, or the next free one.

    Raises:
        OSError: none of 100 is free.
    """
    for port in range(wanted, wanted + PORTS):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)):
                return port
    raise OSError(f"no free port from {wanted} to {wanted + PORTS - 1}")


def link(port: int, one_run: bool, tag: str = "", only: str = BANDS) -> str:
    """The address of the Time Series page, runs coloured by arm, unsmoothed.

    Args:
        port: of the server.
        one_run: the server shows one run, so that names of its curves begin with the arm; otherwise
            they begin with the run.
        tag: only tags that match this regular expression.
        only: only curves whose names match this one; by default means over seeds. The page shows it
            as a filter above the list of curves, and without it the curves of seeds.
    """
    arm = r"^([^/]+)/" if one_run else r"^[^/]+/([^/]+)/"
    query = f"runColorGroup={quote(f'regex:{arm}', safe='')}&smoothing=0"
    if only:
        query += f"&runFilter={quote(only, safe='')}"
    if tag:
        query += f"&tagFilter={quote(tag, safe='')}"
    return f"http://{HOST}:{port}/?{query}#timeseries"


def links(port: int, one_run: bool) -> dict[str, str]:
    """Addresses of the pages by title, each with the curves selected that it is about.

    Without that, TensorBoard selects none where there are many.
    """
    home, bands = f"http://{HOST}:{port}/", "#custom_scalars&regexInput=_band&_smoothingWeight=0"
    # Texts are in the event file of the run's root, which is called "." where one run is shown.
    root = quote(r"^\.$" if one_run else r"^[^/]+$", safe="")
    return {
        "Time Series, means over seeds": link(port, one_run, MEANS),
        "Time Series, single seeds": link(port, one_run, "^measure/market/", SEEDS),
        "HParams, one row an arm": f"{home}#hparams",
        "Custom Scalars, bands over seeds": f"{home}{bands}",
        "Text, the KPIs in words": f"{home}#text&regexInput={root}",
    }


def sweep_links(port: int, first: str) -> dict[str, str]:
    """Addresses of the pages of a sweep's board, by title.

    Args:
        port: of the server.
        first: regular expression of the curves that are selected at first: the older pages do not
            draw thousands.
    """
    home, chosen = f"http://{HOST}:{port}/", quote(first, safe="")
    return {
        "HParams, one row a cell": f"{home}#hparams",
        "Time Series, bands of the first cells": link(port, True, "^band/", first),
        "Custom Scalars, bands of the first cells": f"{home}#custom_scalars&regexInput={chosen}"
        "&_smoothingWeight=0",
    }


def command(logdir: Path, port: int) -> list[str]:
    """The command line of the TensorBoard process, which listens on loopback only."""
    # -P: modules in the working folder, `queue.py` say, must not replace the library's.
    return [
        sys.executable, "-P", "-m", "tensorboard.main", "--logdir", str(logdir), "--host", HOST,
        "--port", str(port), "--reload_multifile", "true",
    ]  # fmt: skip


def serve(command: Sequence[str]) -> int:
    """Run a command until it ends, or until this process is told to.

    TensorBoard starts a process of its own, which reads the event files: both end with this one.

    Returns:
        Its exit code; 0 after Ctrl-C, 128 + the number of another signal (where the caller lets
        signals raise, `tacit.training.runs.signals`).
    """
    # In a session of its own: the signals of a terminal reach this process, which ends the others.
    # A signal that comes before there is a process to end must not leave one behind.
    came: list[int] = []
    with _signals_kept(came) as handle:
        process = subprocess.Popen(command, start_new_session=True)
    try:
        for number in came:
            handle(number)
        return process.wait()
    except KeyboardInterrupt as stop:
        code: int = getattr(stop, "exit_code", INTERRUPTED)
        return 0 if code == INTERRUPTED else code
    finally:
        _end(process)


@contextmanager
def _signals_kept(came: list[int]) -> Iterator[Callable[[int], None]]:
    """Within, signals that a function handles are only noted.

    Args:
        came: their numbers are appended.

    Yields:
        What handles one afterwards, as it would have been handled when it came.
    """
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
        before = {n: signal.getsignal(n) for n in numbers if callable(signal.getsignal(n))}
    for number in before:
        signal.signal(number, lambda number, frame: came.append(number))
    try:
        yield lambda number: before[number](number, None)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and those that it has started; what does not end in time is killed."""
    for number in ("SIGTERM", "SIGKILL"):
        with suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, getattr(signal, number))
            else:
                process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
            if number == "SIGKILL" or not _is_group(process.pid):
                return


def _is_group(number: int) -> bool:
    """Whether a process of this group is left."""
    try:
        os.killpg(number, 0)
    except (OSError, AttributeError):
        return False
    return True
