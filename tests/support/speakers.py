"""Speakers and listeners of the battery of words (`benchmarks/words`), loaded by its path: the
repository's root on sys.path would make `envs` importable too."""

from __future__ import annotations

import importlib
import importlib.util
import sys

from support.paths import ROOT

FOLDER = ROOT / "benchmarks" / "words"
PACKAGE = "battery_of_words"

_spec = importlib.util.spec_from_file_location(
    PACKAGE, FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
)
assert _spec is not None
assert _spec.loader is not None
sys.modules.setdefault(PACKAGE, importlib.util.module_from_spec(_spec))

battery = importlib.import_module(f"{PACKAGE}.claims")
players = importlib.import_module(f"{PACKAGE}.claim_tables")
