"""The TensorBoard process on a run, and links to its pages that colour runs by arm."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

HOST = "127.0.0.1"  # loopback: nobody else in the network sees the run
BANDS, SEEDS = "/_band$", r"/s\d+$"  # names of curves: means over an arm's seeds; single seeds
MEANS = "^band/.*/mean$"  # tags
PORTS = 100  # tried one after the other


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


def command(logdir: Path, port: int) -> list[str]:
    """The command line of the TensorBoard process, which listens on loopback only."""
    # -P: modules in the working folder, `queue.py` say, must not replace the library's.
    return [
        sys.executable, "-P", "-m", "tensorboard.main", "--logdir", str(logdir), "--host", HOST,
        "--port", str(port), "--reload_multifile", "true",
    ]  # fmt: skip


def serve(command: Sequence[str]) -> int:
    """Run a command until it ends or until Ctrl-C; returns its exit code."""
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:
        return 0
