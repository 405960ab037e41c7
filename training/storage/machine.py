"""What a result was computed on: it is bit-for-bit the same on one machine type and versions."""

from __future__ import annotations

import os
import platform
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tacit.envs.jit.processor import processor

PACKAGES = ("tacit", "numpy", "numba", "llvmlite", "torch")


def workers() -> int:
    """How many seeds are trained side by side: `TACIT_THREADS`, else the cores of this process."""
    wanted = os.environ.get("TACIT_THREADS", "")
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no affinity
        return os.cpu_count() or 1


@cache
def machine() -> dict[str, Any]:
    """Processor, its vector flags, system, and versions, as summary.json holds them."""
    name, flags = processor()
    return {
        "processor": name,
        "flags": list(flags),
        "system": f"{platform.system()} {platform.machine()}",
        "python": sys.version.split()[0],
        "versions": {name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
