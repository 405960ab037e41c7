"""Scripted speakers and listeners: those of `benchmarks/claims.py`, which is no package here."""

from __future__ import annotations

import importlib.util
import sys

from support.paths import ROOT

SOURCE = ROOT / "benchmarks" / "claims.py"

_spec = importlib.util.spec_from_file_location("claims_on_scripted_players", SOURCE)
assert _spec is not None
assert _spec.loader is not None
players = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = players  # (dataclasses look there)
_spec.loader.exec_module(players)
