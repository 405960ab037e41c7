"""The processor that this process runs on, as far as it decides how sums are rounded."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path


@cache
def processor() -> tuple[str, tuple[str, ...]]:
    """The processor's name, and those of its vector flags that decide which instructions LLVM uses,
    and so the rounding of sums."""
    flags = tuple(f for f in _cpuinfo("flags").split() if f.startswith(("avx", "fma", "amx")))
    return _cpuinfo("model name") or platform.processor(), flags


def _cpuinfo(key: str) -> str:
    """A value of Linux's description of the first processor; empty elsewhere."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")
