"""Where this repository's files are, for tests that read them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]


def benchmark_module(name: str) -> ModuleType:
    """A module of `benchmarks/`. The root leaves sys.path at once: `envs` lies in it too."""
    sys.path.insert(0, str(ROOT))
    try:
        return importlib.import_module(f"benchmarks.{name}")
    finally:
        sys.path.remove(str(ROOT))
