"""The stubs of the benchmark of the gate, for tests: `benchmarks` is another folder here."""

from __future__ import annotations

import importlib.util
import sys

from support.paths import ROOT

_NAME = "gate_stubs_of_the_benchmark"
_SPEC = importlib.util.spec_from_file_location(_NAME, ROOT / "benchmarks/gate/stubs.py")
assert _SPEC is not None
assert _SPEC.loader is not None
_MODULE = importlib.util.module_from_spec(_SPEC)
sys.modules[_NAME] = _MODULE
_SPEC.loader.exec_module(_MODULE)

MARKETS, TRIGGERS, Stub = _MODULE.MARKETS, _MODULE.TRIGGERS, _MODULE.Stub
questions_of, honest, dishonest = _MODULE.questions_of, _MODULE.honest, _MODULE.dishonest
