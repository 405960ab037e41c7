"""The loops of benchmarks/interop, for tests, and what is asked of other people's libraries."""

from __future__ import annotations

import importlib
import importlib.util
import multiprocessing
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from support.paths import ROOT

FOLDER = ROOT / "benchmarks/interop"


def load(name: str) -> ModuleType:
    """A module of the benchmark, loaded by its path: the root on sys.path would hide packages."""
    if "interop" not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            "interop", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
        )
        sys.modules["interop"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["interop"])
    return importlib.import_module(f"interop.{name}")


@contextmanager
def start_method_kept() -> Iterator[None]:
    """TorchRL and others change how processes start as they are imported: change it back."""
    before = multiprocessing.get_start_method(allow_none=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    multiprocessing.set_start_method(before, force=True)
