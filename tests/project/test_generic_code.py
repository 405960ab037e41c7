"""Generic code knows no market and no measure by name: a market declares what it is.

Looked at are string literals of the product outside docstrings. A market's own code is its package
in `envs`, its PettingZoo module and its fit of `tacit calibrate`; names of markets also stand where
they are listed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.paths import ROOT

from tacit.envs.registry import MARKETS, market_class

FOLDERS = ("envs", "agents", "emergence", "oversight", "training", "facade")
LISTS = ("envs/registry.py", "training/calibrate/fits.py")  # market -> its class, its fit
OF_A_MARKET = tuple(
    f"{folder}/{name}" for folder in ("envs", "training/calibrate") for name in MARKETS
)
MEASURES = {measure.name for name in MARKETS for measure in market_class(name).measures}

# Words that happen to be a measure of some market and mean something else here.
GENERIC = {
    "error": "an error of a check, in a message",
    "margin": "by how much a bid stays below another one (tacit screen)",
    "payoff": "KPI or fundamental (tacit best-response)",
    "quantity": "what a published value is about (tacit reproduce, tacit calibrate)",
}

FILES = [
    path
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not (name := str(path.relative_to(ROOT))).startswith(OF_A_MARKET) and name not in LISTS
]


def literals(text: str) -> Iterator[tuple[int, str]]:
    """Line and value of every string literal that is no docstring; of f-strings their parts."""
    tree = ast.parse(text)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in docstrings:
            yield node.lineno, node.value


def names_in(text: str) -> list[tuple[int, str]]:
    """Markets named anywhere in a literal, and literals that are a measure (or `x/measure/y`)."""
    found = []
    for line, value in literals(text):
        markets = set(re.findall(r"\w+", value)) & set(MARKETS)
        measures = set(value.split("/")) & (MEASURES - set(GENERIC))
        found += [(line, name) for name in sorted(markets | measures)]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_generic_code_names_no_market_and_no_measure(path: Path):
    assert names_in(path.read_text(encoding="utf-8")) == []


def test_what_is_looked_for_is_found():
    """The test can fail: on a measure, on one in a path of names, on a market in a message."""
    assert names_in('x = means["welfare"]') == [(1, "welfare")]
    assert names_in('x = f"{name}/profit/best"') == [(1, "profit")]
    assert names_in('"""profit"""\nx = f"not in {n}; cheap_talk has"') == [(2, "cheap_talk")]
    assert names_in('x = "price per unit"') == []  # a sentence may use the word


def test_every_generic_word_is_needed():
    """A word of the list is a measure of a market and occurs."""
    assert set(GENERIC) <= MEASURES
    values = {value for path in FILES for _, value in literals(path.read_text(encoding="utf-8"))}
    assert set(GENERIC) <= values
