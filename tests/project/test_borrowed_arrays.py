"""No loop reads an array that it made itself and no longer holds.

`row` and `borrow` make views without a reference (`tacit.envs.jit.array_views`), and Numba gives an
array's memory back behind its last use, to whoever asks next. So a function that makes an array may
hand it to `borrow` only if it uses the array itself afterwards, and to `row` only within a loop,
behind which the array is still held.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.paths import ROOT

MAKERS = {"empty", "zeros", "full", "ones", "arange", "empty_like", "zeros_like", "array", "copy"}
FOLDERS = ("envs", "agents", "emergence", "oversight")


def name_of(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def functions(source: str) -> list[ast.FunctionDef]:
    return [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef)]


def made(function: ast.FunctionDef) -> set[str]:
    """Names to which a function gives a new array."""
    found = set()
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            for name, value in zip(names, values * len(names) if len(values) == 1 else values,
                                   strict=False):  # fmt: skip
                is_made = isinstance(value, ast.Call) and name_of(value) in MAKERS
                if is_made and isinstance(name, ast.Name):
                    found.add(name.id)
    return found


def borrowing(sources: dict[Path, str]) -> dict[str, set[int]]:
    """By inlined function: which of its arguments it borrows, itself or by a function it calls."""
    inlined = {
        f.name: f
        for source in sources.values()
        for f in functions(source)
        if any(isinstance(d, ast.Name) and d.id == "inlined" for d in f.decorator_list)
    }
    found: dict[str, set[int]] = {"borrow": {0}}
    while True:
        more = {
            name: {
                place
                for place, arg in enumerate(f.args.args)
                for call in ast.walk(f)
                if isinstance(call, ast.Call)
                for k in found.get(name_of(call), set())
                if k < len(call.args) and is_named(call.args[k], arg.arg)
            }
            for name, f in inlined.items()
        }
        more = {"borrow": {0}} | {name: places for name, places in more.items() if places}
        if more == found:
            return found
        found = more


def is_named(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def targets(function: ast.FunctionDef, call: ast.Call) -> set[str]:
    """Names that the statement of a call gives a new meaning."""
    own = [n for n in ast.walk(function) if isinstance(n, ast.Assign) and call in list(ast.walk(n))]
    return {x.id for n in own for t in n.targets for x in ast.walk(t) if isinstance(x, ast.Name)}


def is_held(function: ast.FunctionDef, call: ast.Call, name: str) -> bool:
    """Whether a function still holds its array behind a call that borrows it."""
    if name in targets(function, call):
        return False
    lines = [n.lineno for n in ast.walk(function) if is_named(n, name)]
    loops = [n for n in ast.walk(function) if isinstance(n, ast.For | ast.While)]
    within = any(min(lines) < n.lineno <= call.lineno <= (n.end_lineno or 0) for n in loops)
    return within or max(lines) > (call.end_lineno or 0)


def dangling(sources: dict[Path, str]) -> Iterator[str]:
    """Calls in which a function lets go of an array that it made."""
    places = borrowing(sources) | {"row": {0}}
    for path, source in sources.items():
        for function in functions(source):
            calls = [n for n in ast.walk(function) if isinstance(n, ast.Call)]
            for name in sorted(made(function)):
                for call in calls:
                    given = [k for k in places.get(name_of(call), ()) if k < len(call.args)]
                    own = any(is_named(call.args[k], name) for k in given)
                    if own and not is_held(function, call, name):
                        yield f"{path.name}:{call.lineno}: {name} is not held"


def loops_of(root: Path) -> dict[Path, str]:
    paths = [p for folder in FOLDERS for p in (root / folder).rglob("*.py")]
    return {path: path.read_text(encoding="utf-8") for path in paths}


def test_every_borrowed_array_is_held():
    assert list(dangling(loops_of(ROOT))) == []


HELD = """
def f(n):
    x = np.empty(n)
    for i in range(n):
        y = row(x, i)

def g(n):
    x = np.empty(n)
    h(x)
    x[:1] = 0

@inlined
def h(a):
    b = borrow(a)
"""


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("    x[:1] = 0\n", ""),
        ("        y = row(x, i)", "        pass\n    y = row(x, 0)"),
        ("    h(x)\n    x[:1] = 0\n", "    x = borrow(x)\n    return x\n"),
    ],
)
def test_it_finds_those_that_are_not(now, then):
    path = Path("a_loop.py")
    assert list(dangling({path: HELD})) == []
    broken = HELD.replace(now, then)
    assert broken != HELD
    assert len(list(dangling({path: broken}))) == 1
