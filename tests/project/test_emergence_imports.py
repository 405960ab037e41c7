"""Folders of `emergence` import downwards only, and none imports a folder beside it."""

from __future__ import annotations

import ast

import pytest
from support.paths import ROOT

HOME = ROOT / "emergence"
BEHAVIOURS = ("collusion", "objective", "claims", "coalition", "anchored", "adoption", "screens")
# Each name with those that it may import; modules in the root of `emergence` go by their own name.
BASE = {
    "population", "payoffs", "named_measures", "information", "found_once", "stats",
    "student_quantiles",
}  # fmt: skip
ALLOWED = {
    **dict.fromkeys(BASE, BASE),
    "play": BASE,
    "tree": BASE | {"play"},
    "evidence": BASE,
    "evaluate": BASE,
    **{name: BASE | {"play", "tree", "evidence"} for name in BEHAVIOURS},
    "registry": BASE | {"play", "evidence", *BEHAVIOURS},
    "words": set(),
    "terms": set(),
    "verdict": BASE | {"evidence", "registry", *BEHAVIOURS},
}


def imported(path) -> set[str]:
    """The parts of `emergence` that a file outside of it would name first: folder or module."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            names |= {n.split(".")[2] for n in full if n.startswith("tacit.emergence.")}
        elif isinstance(node, ast.ImportFrom) and path.parent == HOME:
            names |= {(node.module or node.names[0].name).split(".")[0]}
    return names


@pytest.mark.parametrize("path", sorted(HOME.rglob("*.py")), ids=lambda p: str(p.relative_to(HOME)))
def test_imports_run_downwards(path):
    own = path.relative_to(HOME).parts[0].removesuffix(".py")
    if own != "__init__":
        assert imported(path) - {own} <= ALLOWED[own]


@pytest.mark.parametrize("folder", ["play", "tree", *BEHAVIOURS])
def test_a_folder_holds_at_most_15_modules_and_behaviours_end_in_a_rule(folder):
    names = {path.name for path in (HOME / folder).glob("*.py")}
    assert len(names - {"__init__.py"}) <= 15
    assert ("verdict.py" in names) == (folder in BEHAVIOURS[:6])
