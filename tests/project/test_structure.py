"""The house: packages, import order, sizes, docstrings, READMEs, and what must not be in it."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from project.source import FLOORS, OURS, PACKAGES, PRODUCT, name, text, tracked, tree
from support.paths import ROOT

SETUP = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


# --- packages ------------------------------------------------------------------------------------


def test_the_packages_are_the_folders_on_disk():
    """A forgotten subpackage is in the editable install and missing from the wheel."""
    found = {
        "tacit." + ".".join(path.parent.relative_to(ROOT).parts)
        for folder in PACKAGES
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert sorted(SETUP["packages"]) == ["tacit", *sorted(found)]
    folders = {f"tacit.{folder}": folder for folder in PACKAGES}
    assert SETUP["package-dir"] == {"tacit": "facade", **folders}


def test_every_module_lies_in_a_package():
    assert [name(p) for p in PRODUCT if not (p.parent / "__init__.py").is_file()] == []


def test_every_data_file_ships():
    for folder in PACKAGES:
        patterns = SETUP["package-data"].get(f"tacit.{folder}", [])
        shipped = {path for pattern in patterns for path in (ROOT / folder).glob(pattern)}
        others = {
            p
            for p in (ROOT / folder).rglob("*")
            if p.suffix in (".yaml", ".typed", ".json", ".safetensors")
        }
        assert others == shipped, folder


def test_the_checker_s_links_lead_to_the_folders():
    for folder in PACKAGES:
        assert (ROOT / "typings/tacit" / folder).resolve() == (ROOT / folder).resolve()
    for file in ("__init__.py", "py.typed"):
        assert (ROOT / "typings/tacit" / file).resolve() == (ROOT / "facade" / file).resolve()


# --- imports -------------------------------------------------------------------------------------


@cache
def imported(path: Path) -> list[tuple[int, str, int]]:
    """(line, module, level) of every import, also of those inside functions."""
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name, 0) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.lineno, node.module or "", node.level)]
            found += [(node.lineno, f"{node.module}.{a.name}", node.level) for a in node.names]
    return found


def against_the_order(path: Path) -> Iterator[str]:
    """Imports of a module from another folder by a relative path, or from a folder above."""
    own = FLOORS.index(path.relative_to(ROOT).parts[0]) if path.parts[-2] != "configs" else -1
    for line, module, level in imported(path):
        if level > 1:
            yield f"{name(path)}:{line}: relative imports stay within their folder"
        if level:
            continue
        first, *rest = module.split(".")
        if first in PACKAGES:
            yield f"{name(path)}:{line}: import tacit.{module}"
        if first == "tacit" and rest and rest[0] in FLOORS and FLOORS.index(rest[0]) > own:
            yield f"{name(path)}:{line}: {module} lies above"


def test_imports_only_run_downwards():
    assert [found for path in PRODUCT for found in against_the_order(path)] == []


PICKLES = ("pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal")
LUCK = ("random", "numpy.random")


def pickles_and_draws(path: Path) -> Iterator[str]:
    """Imports and attributes that unpickle, or draw past `tacit.envs.rng`."""
    for line, module, level in imported(path):
        if not level and module.startswith((*PICKLES, *LUCK)):
            yield f"{name(path)}:{line}: {module}"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            dotted = f"{node.value.id}.{node.attr}"
            if dotted in ("torch.load", "np.random"):
                yield f"{name(path)}:{node.lineno}: {dotted}"


def test_nothing_unpickles_and_draws_go_through_rng():
    assert [found for path in PRODUCT for found in pickles_and_draws(path)] == []


# --- sizes and docstrings ------------------------------------------------------------------------


def too_long(path: Path) -> Iterator[str]:
    """A file of more than 450 lines, functions of more than 80."""
    if len(text(path).splitlines()) > 450:
        yield name(path)
    for node in ast.walk(tree(path)):
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if function and node.end_lineno - node.lineno >= 80:
            yield f"{name(path)}:{node.lineno} {node.name}"


def test_sizes_stay_calm():
    assert [found for path in OURS for found in too_long(path)] == []


def undocumented(module) -> Iterator[str]:
    """Public names without a docstring of their own or of a base.

    A method of one statement says what it does in that statement.
    """
    if not inspect.getdoc(module):
        yield module.__name__
    for label, thing in vars(module).items():
        thing = getattr(thing, "py_func", thing)  # compiled
        if label.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
            continue
        if (inspect.isfunction(thing) or inspect.isclass(thing)) and not inspect.getdoc(thing):
            yield f"{module.__name__}.{label}"
        if inspect.isclass(thing):
            yield from (f"{module.__name__}.{label}.{m}" for m in bare_methods(thing))


def bare_methods(cls: type) -> Iterator[str]:
    definition = ast.parse(inspect.cleandoc("\n" + inspect.getsource(cls))).body[0]
    for node in definition.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            documented = ast.get_docstring(node) or any(
                getattr(getattr(base, node.name, None), "__doc__", None) for base in cls.__mro__[1:]
            )
            if not documented and len(node.body) > 1:
                yield node.name


def module_of(path: Path) -> ModuleType:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return importlib.import_module(".".join(("tacit", *parts)).removesuffix(".__init__"))


def test_public_names_are_documented():
    assert [found for path in PRODUCT for found in undocumented(module_of(path))] == []


# --- folders and words ---------------------------------------------------------------------------


def test_every_folder_has_a_readme():
    folders = {p.relative_to(ROOT).parts[0] for p in tracked() if p.parent != ROOT}
    folders = {f for f in folders if not f.startswith(".")} - {"typings"}  # (links for a checker)
    assert [f for f in sorted(folders) if not (ROOT / f / "README.md").is_file()] == []


@pytest.mark.parametrize("folder", ["agents", "emergence", "envs", "oversight", "training"])
def test_a_readme_names_what_lies_in_its_folder(folder):
    """Folders and modules; `*_v0.py` stands for PettingZoo's modules."""
    page = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    inside = [p.relative_to(ROOT / folder).parts for p in tracked() if ROOT / folder in p.parents]
    names = {f"{parts[0]}/" if len(parts) > 1 else parts[0] for parts in inside}
    names = {"*_v0.py" if own.endswith("_v0.py") else own for own in names}
    described = names - {"__init__.py", "README.md"}
    assert [own for own in sorted(described) if own not in page] == []


def test_no_path_of_one_machine_stands_in_the_repository():
    private = re.compile(rb"(?<![\w.])/(?:wo" rb"rk|ro" rb"ot|ho" rb"me)/")
    found = []
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data[:8000] and private.search(data):
            found.append(name(path))
    assert found == []


# --- the tests can fail --------------------------------------------------------------------------


def test_what_is_against_the_rules_is_found(monkeypatch):
    """A file with one mistake of each kind."""
    bad = ROOT / "emergence/stats.py"
    source = "\n".join([
        "from ..envs import kpi", "import envs.kpi", "from tacit.training import train",
        "import pickle", "from numpy.random import default_rng", "np.random.rand()",
        "def f():", *["    x = 1"] * 80, *["#"] * 400,
    ])  # fmt: skip
    parsed = ast.parse(source)
    monkeypatch.setitem(globals(), "text", lambda path: source)
    monkeypatch.setitem(globals(), "tree", lambda path: parsed)
    imported.cache_clear()
    assert [found.partition(": ")[0] for found in against_the_order(bad)] == [
        "emergence/stats.py:1", "emergence/stats.py:1", "emergence/stats.py:2",
        "emergence/stats.py:3", "emergence/stats.py:3",
    ]  # fmt: skip
    assert [found.rpartition(": ")[2] for found in pickles_and_draws(bad)] == [
        "pickle", "numpy.random", "numpy.random.default_rng", "np.random",
    ]  # fmt: skip
    assert list(too_long(bad)) == ["emergence/stats.py", "emergence/stats.py:7 f"]
    imported.cache_clear()
