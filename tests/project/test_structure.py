"""The house: packages, import order, sizes, docstrings, READMEs, and what must not be in it."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import tomllib
from collections.abc import Iterator
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
SETUP = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    paths = [ROOT / path for path in done.stdout.decode().split("\0") if path]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


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
        others = {p for p in (ROOT / folder).rglob("*") if p.suffix in (".yaml", ".typed", ".json")}
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


@pytest.mark.parametrize("path", PRODUCT, ids=name)
def test_imports_only_run_downwards(path):
    own = FLOORS.index(path.relative_to(ROOT).parts[0]) if path.parts[-2] != "configs" else -1
    for line, module, level in imported(path):
        assert level <= 1, f"{path}:{line}: relative imports stay within their folder"
        if level:
            continue
        first, *rest = module.split(".")
        assert first not in PACKAGES, f"{path}:{line}: import tacit.{module}"
        if first == "tacit" and rest and rest[0] in FLOORS:
            assert FLOORS.index(rest[0]) <= own, f"{path}:{line}: {module} lies above"


PICKLES = ("pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal")
LUCK = ("random", "numpy.random")


@pytest.mark.parametrize("path", PRODUCT, ids=name)
def test_nothing_unpickles_and_draws_go_through_rng(path):
    for line, module, level in imported(path):
        assert level or not module.startswith((*PICKLES, *LUCK)), f"{path}:{line}: {module}"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            dotted = f"{node.value.id}.{node.attr}"
            assert dotted not in ("torch.load", "np.random"), f"{path}:{node.lineno}"


# --- sizes and docstrings ------------------------------------------------------------------------


@pytest.mark.parametrize("path", OURS, ids=name)
def test_sizes_stay_calm(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 80, node.name


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


@pytest.mark.parametrize("path", PRODUCT, ids=name)
def test_public_names_are_documented(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    module = importlib.import_module(".".join(("tacit", *parts)).removesuffix(".__init__"))
    assert list(undocumented(module)) == []


# --- folders and words ---------------------------------------------------------------------------


def test_every_folder_has_a_readme():
    folders = {p.relative_to(ROOT).parts[0] for p in tracked() if p.parent != ROOT}
    folders = {f for f in folders if not f.startswith(".")} - {"typings"}  # (links for a checker)
    assert [f for f in sorted(folders) if not (ROOT / f / "README.md").is_file()] == []


def test_no_path_of_one_machine_stands_in_the_repository():
    private = re.compile(rb"(?<![\w.])/(?:wo" rb"rk|ro" rb"ot|ho" rb"me)/")
    found = []
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data[:8000] and private.search(data):
            found.append(name(path))
    assert found == []
