"""The project's own source files, each read and parsed once in a process."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

import pytest
from support.paths import ROOT

FLOORS = ("envs", "agents", "emergence", "oversight", "training")  # imports only run downwards
PACKAGES = (*FLOORS, "configs")
PRODUCT = sorted(path for folder in PACKAGES for path in (ROOT / folder).rglob("*.py"))
OURS = [
    *PRODUCT,
    *sorted((ROOT / "tests").rglob("*.py")),
    *sorted((ROOT / "benchmarks").rglob("*.py")),
]


def name(path: Path) -> str:
    """A path as seen from the root of the repository."""
    return str(path.relative_to(ROOT))


@cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file, which no test may alter."""
    return ast.parse(text(path))


def tracked() -> list[Path]:
    """Files that git tracks; skips the test outside of a checkout."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    paths = [ROOT / path for path in done.stdout.decode().split("\0") if path]
    return [path for path in paths if path.is_file() and not path.is_symlink()]
