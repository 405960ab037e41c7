"""What a result was computed on: bit-for-bit claims hold on one machine type and these versions."""

from __future__ import annotations

import os
import platform
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("tacit", "numpy", "numba", "llvmlite", "torch")


def workers() -> int:
    """Threads that train seeds side by side: `TACIT_THREADS`, else the cores of this process."""
    wanted = os.environ.get("TACIT_THREADS", "")
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


@cache
def machine() -> dict[str, Any]:
    """Processor, its vector flags, and versions."""
    return {
        "processor": _cpuinfo("model name") or platform.processor(),
        "flags": [f for f in _cpuinfo("flags").split() if f.startswith(("avx", "fma", "amx"))],
        "system": f"{platform.system()} {platform.machine()}",
        "python": sys.version.split()[0],
        "versions": {name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpuinfo(key: str) -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")
