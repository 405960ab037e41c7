"""The package `benchmarks.words` under the name `battery`.

Loaded by its path: the repository's root on sys.path would make `envs` importable too.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType

from .paths import ROOT

FOLDER = ROOT / "benchmarks/words"


def load(name: str) -> ModuleType:
    """One of its modules."""
    if "battery" not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            "battery", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
        )
        assert spec is not None
        assert spec.loader is not None
        sys.modules["battery"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["battery"])
    return importlib.import_module(f"battery.{name}")
