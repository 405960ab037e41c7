"""Generic code knows no market and no measure by name: a market declares what it is.

Looked at are string literals of the product outside docstrings. A market's own code is its package
in `envs`, its PettingZoo module, its fit of `tacit calibrate` and its priors; names of markets also
stand where they are listed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from project.source import name, tree
from support.paths import ROOT

from tacit.envs.registry import SHIPPED, market_class

FOLDERS = ("envs", "agents", "emergence", "oversight", "training", "facade")
LISTS = ("envs/registry/shipped.py", "training/calibrate/fits.py")  # market -> its class, its fit
OF_A_MARKET = (
    "envs/one_file/",
    *(
        f"{folder}/{name}"
        for folder in ("envs", "training/calibrate", "training/priors")
        for name in SHIPPED
    ),
)
MEASURES = {measure.name for name in SHIPPED for measure in market_class(name).measures}

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
    if not name(path).startswith(OF_A_MARKET) and name(path) not in LISTS
]


def literals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and value of every string literal that is no docstring; of f-strings their parts."""
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


def names_in(tree: ast.Module) -> list[tuple[int, str]]:
    """Markets named anywhere in a literal, and literals that are a measure (or `x/measure/y`)."""
    found = []
    for line, value in literals(tree):
        markets = set(re.findall(r"\w+", value)) & set(SHIPPED)
        measures = set(value.split("/")) & (MEASURES - set(GENERIC))
        found += [(line, name) for name in sorted(markets | measures)]
    return found


def test_generic_code_names_no_market_and_no_measure():
    found = {name(path): names_in(tree(path)) for path in FILES}
    assert {path: names for path, names in found.items() if names} == {}


def test_what_is_looked_for_is_found():
    """The test can fail: on a measure, on one in a path of names, on a market in a message."""
    found = {
        'x = means["welfare"]': [(1, "welfare")],
        'x = f"{name}/profit/best"': [(1, "profit")],
        '"""profit"""\nx = f"not in {n}; cheap_talk has"': [(2, "cheap_talk")],
        'x = "price per unit"': [],  # a sentence may use the word
    }
    for source, names in found.items():
        assert names_in(ast.parse(source)) == names


def test_every_generic_word_is_needed():
    """A word of the list is a measure of a market and occurs."""
    assert set(GENERIC) <= MEASURES
    values = {value for path in FILES for _, value in literals(tree(path))}
    assert set(GENERIC) <= values
