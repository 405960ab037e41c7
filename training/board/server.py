"""TensorBoard on a run, with a link that colours runs by arm."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

HOST = "127.0.0.1"


def free_port(wanted: int = 6006) -> int:
    """The wanted port, or the next free one."""
    for port in range(wanted, wanted + 100):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)):
                return port
    raise OSError(f"no free port from {wanted} to {wanted + 99}")


def link(port: int, one_run: bool, tag: str = "") -> str:
    """The address of the Time Series page, runs coloured by arm, unsmoothed."""
    arm = r"^([^/]+)/" if one_run else r"^[^/]+/([^/]+)/"
    query = f"runColorGroup={quote(f'regex:{arm}', safe='')}&smoothing=0"
    if tag:
        query += f"&tagFilter={quote(tag, safe='')}"
    return f"http://{HOST}:{port}/?{query}#timeseries"


def links(port: int, one_run: bool) -> dict[str, str]:
    """Every page with the runs that it is about. (Beyond 40 runs TensorBoard selects none.)"""
    home, bands = f"http://{HOST}:{port}/", "#custom_scalars&regexInput=_band&_smoothingWeight=0"
    root = quote(r"^\.$" if one_run else r"^[^/]+$", safe="")
    return {
        "Time Series, coloured by arm": link(port, one_run),
        "HParams, one row an arm": f"{home}#hparams",
        "Custom Scalars, bands over seeds": f"{home}{bands}",
        "Text, the KPIs in words": f"{home}#text&regexInput={root}",
    }


def command(logdir: Path, port: int) -> list[str]:
    """The TensorBoard process: loopback only."""
    return [
        sys.executable, "-P", "-m", "tensorboard.main", "--logdir", str(logdir), "--host", HOST,
        "--port", str(port), "--reload_multifile", "true",
    ]  # fmt: skip


def serve(command: Sequence[str]) -> int:
    """Run until Ctrl-C."""
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:
        return 0
