"""What a market that ships must have: one list. `pytest tests/envs/contract/test_new_market.py`
prints, line by line, what a new one lacks.

Files are looked for; tables of tests are read as text, so that a module that a missing entry would
break is not imported.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from support.paths import ROOT

V = TypeVar("V")


class Entries(dict[str, V]):
    """A table of tests with an entry for every market that ships; a missing one is named."""

    def __init__(self, where: str, entries: dict[str, V]) -> None:
        super().__init__(entries)
        self.where = where

    def __missing__(self, name: str) -> V:
        raise KeyError(
            f"the market '{name}' has no entry in {self.where}; all that it lacks: "
            "pytest tests/envs/contract/test_new_market.py"
        )


class NeededFile(NamedTuple):
    """A file (or folder) that every market has; `{name}`, `{version}` and `*` stand for its own."""

    path: str
    what: str


class NeededEntry(NamedTuple):
    """An entry for every market in a table of a test.

    Attributes:
        file, table: where the table is.
        what: what the entry says.
        has: reads the names that it has from its syntax tree.
    """

    file: str
    table: str
    what: str
    has: Callable[[ast.expr], set[str]]


def keys(tree: ast.expr) -> set[str]:
    """The keys of the table."""
    found = next(node for node in ast.walk(tree) if isinstance(node, ast.Dict))
    return {k.value for k in found.keys if isinstance(k, ast.Constant)}


def names(tree: ast.expr) -> set[str]:
    """What stands under `name` in the entries of the table."""
    pairs = [
        pair
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for pair in zip(node.keys, node.values, strict=True)
    ]
    return {
        value.value
        for key, value in pairs
        if isinstance(key, ast.Constant) and key.value == "name" and isinstance(value, ast.Constant)
    }


FILES = [
    NeededFile("envs/{name}_v{version}.py", "its PettingZoo module: copy envs/ad_auction_v0.py"),
    NeededFile("configs/markets/{name}.yaml", "the default experiment of `tacit train {name}`"),
    NeededFile("docs/markets/{name}.md", "rules, keys, formulas with source, a transcript"),
    NeededFile("tests/envs/markets/*{name}*", "test_{name}.py: its rules by hand"),
]
PROPERTIES = "tests/support/properties.py"
ENTRIES = [
    NeededEntry("tests/support/every_market.py", "CONFIGS", "configs for the contract", keys),
    NeededEntry(PROPERTIES, "CONFIGS", "random configs, as a Hypothesis strategy", keys),
    NeededEntry(PROPERTIES, "BALANCE", "how its payments add up", keys),
    NeededEntry(PROPERTIES, "SYMMETRIC", "configs in which seats can be exchanged", keys),
    NeededEntry(PROPERTIES, "REORDER_STATE", "its state after seats were exchanged", keys),
    NeededEntry(
        "tests/envs/contract/test_market.py", "HIDDEN", "what its state hides from whom", keys
    ),
    NeededEntry(
        "tests/envs/contract/test_market_defaults.py", "DEFAULTS", "the default of every key", keys
    ),
    NeededEntry("tests/envs/views/test_views.py", "DRAWS", "a config in which luck matters", keys),
    NeededEntry("tests/training/config/test_keys.py", "SETTINGS", "every key, set once", keys),
    NeededEntry(
        "tests/envs/markets/test_transcripts.py", "PLAYS",
        "a play; then that file with --write", names,
    ),
]  # fmt: skip


def lacking(name: str, version: int = 0) -> Iterator[str]:
    """What a market lacks of all this, a line each."""
    for path, what in FILES:
        file = path.format(name=name, version=version)
        if not list(ROOT.glob(file)):
            yield f"{file}: is missing: {what.format(name=name)}"
    for file, table, what, has in ENTRIES:
        if name not in has(_assigned(file, table)):
            yield f"{file}: {table} has no entry '{name}': {what}"
    for file, what in (("mkdocs.yml", "its page in the navigation"), ("README.md", "its row")):
        if f"markets/{name}.md" not in (ROOT / file).read_text(encoding="utf-8"):
            yield f"{file}: does not link docs/markets/{name}.md: {what}"
    packages = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    if (ROOT / "envs" / name).is_dir() and f'"tacit.envs.{name}"' not in packages:
        yield f"pyproject.toml: does not list the package tacit.envs.{name}"


def _assigned(file: str, table: str) -> ast.expr:
    """What a module assigns to a name at its top level."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == table:
            value = getattr(node, "value", None)
            assert value is not None
            return value
    raise AssertionError(f"{file} assigns nothing to {table}")
