"""The table of training/README.md is in the order of imports: a folder uses only those above it."""

from __future__ import annotations

import ast
import re

import pytest
from support.paths import ROOT

HOME = ROOT / "training"
ORDER = re.findall(r"^\| `(\w+)/` ", (HOME / "README.md").read_text(encoding="utf-8"), re.MULTILINE)


def used(folder: str) -> set[str]:
    """Folders of training that one names in its imports, also in those inside functions."""
    names = set()
    for path in (HOME / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                "tacit.training"
            ):
                full = [f"{node.module}.{alias.name}" for alias in node.names]
                names |= {name.split(".")[2] for name in full}
    return names & set(ORDER) - {folder}


def test_every_folder_is_in_the_table():
    assert sorted(ORDER) == sorted(path.parent.name for path in HOME.glob("*/__init__.py"))


@pytest.mark.parametrize("folder", ORDER)
def test_a_folder_imports_only_from_those_above_it(folder):
    assert used(folder) <= set(ORDER[: ORDER.index(folder)])
