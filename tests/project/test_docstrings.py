"""What a docstring must say, and how folders may hang together.

Shapes of arrays, errors that are raised, fields of containers: read from the source, so that a
function cannot be left out. Class names, sizes of folders and imports between folders beside them.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from project.source import FLOORS, PRODUCT, name, tracked, tree
from support.paths import ROOT

# Annotations that mean an array, alone or inside a container.
ARRAY = re.compile(r"\b(NDArray|ndarray|Floats|Ints|Bools|Masks|PolicyTable|Reals|Digits)\b")
# What is saved: arrays of all shapes by name.
ARRAYS_BY_NAME = re.compile(r"\b(dict|Mapping|MutableMapping)\[str, NDArray\[Any\]\]")
# As in [N, S + 1, M]; without quotes, which subscripts by name have.
SHAPE = re.compile(r"\[[\w.,+*/<>= -]+\]")
# Arguments of compiled functions are annotated `Any`: these names are arrays.
ARRAY_NAMES = {
    "actions", "actor", "array", "arrays", "bound", "chosen", "clock", "cumulative", "keys",
    "measures", "nature", "own", "params", "q", "scores", "state", "states", "table", "terms",
}  # fmt: skip
COMPILED = {"kernel", "called_kernel", "inlined", "loop"}
NO_MISTAKE = {"NotImplementedError", "AssertionError", "StopIteration"}


class Function(NamedTuple):
    """A public function or method.

    Attributes:
        where: file, line and name.
        node: its definition.
        around: docstrings of its class, if any, and module.
    """

    where: str
    node: ast.FunctionDef
    around: tuple[str, ...]

    @property
    def doc(self) -> str:
        return ast.get_docstring(self.node) or ""


def is_public(label: str) -> bool:
    return not label.startswith("_") or label in ("__init__", "__call__")


def functions(path: Path) -> Iterator[Function]:
    """Every public function of a module, and every public method of its public classes.

    A form of an overloaded function is none of its own: the function itself is documented.
    """
    module = tree(path)
    about = ast.get_docstring(module) or ""
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and "overload" in decorators(node):
            continue
        if isinstance(node, ast.FunctionDef) and is_public(node.name):
            yield Function(f"{name(path)}:{node.lineno} {node.name}", node, (about,))
        elif isinstance(node, ast.ClassDef) and is_public(node.name):
            around = (ast.get_docstring(node) or "", about)
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and is_public(method.name):
                    label = f"{node.name}.{method.name}"
                    yield Function(f"{name(path)}:{method.lineno} {label}", method, around)


def decorators(node: ast.FunctionDef | ast.ClassDef) -> set[str]:
    """Names of decorators, without arguments and modules."""
    called = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
    return {ast.unparse(d).rpartition(".")[2] for d in called}


def array_arguments(node: ast.FunctionDef) -> list[str]:
    """Arguments that are arrays, by annotation or, in compiled functions, by name."""
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    annotated = {a.arg: ast.unparse(a.annotation) if a.annotation else "" for a in arguments}
    compiled = bool(decorators(node) & COMPILED)
    return [
        argument
        for argument, annotation in annotated.items()
        if is_array(annotation) or (compiled and annotation == "Any" and argument in ARRAY_NAMES)
    ]


def is_array(annotation: str) -> bool:
    return bool(ARRAY.search(ARRAYS_BY_NAME.sub("", annotation)))


def returns_array(node: ast.FunctionDef) -> bool:
    return node.returns is not None and is_array(ast.unparse(node.returns))


def shape_is_given(argument: str, text: str) -> bool:
    """Whether a text names an argument and, in the same sentence or paragraph line, a shape."""
    parts = re.split(r"\n\s*\n|(?<=[.;])\s", text)
    return any(re.search(rf"\b{argument}\b", part) and SHAPE.search(part) for part in parts)


def without_shape(function: Function) -> list[str]:
    """Array arguments, and `return`, whose shape is said nowhere.

    An argument's shape is given beside its name, in the docstring of the function, its class or its
    module; a function with one array need not name it.
    """
    arguments, own = array_arguments(function.node), function.doc
    missing = [
        argument
        for argument in arguments
        if not (len(arguments) == 1 and SHAPE.search(own))
        and not any(shape_is_given(argument, text) for text in (own, *function.around))
    ]
    return missing + ["return"] * (returns_array(function.node) and not SHAPE.search(own))


def test_arrays_have_their_shapes():
    found = {f.where: without_shape(f) for path in PRODUCT for f in functions(path)}
    assert {where: missing for where, missing in found.items() if missing} == {}


# --- errors --------------------------------------------------------------------------------------


def raises(node: ast.FunctionDef) -> bool:
    """Whether a body raises, or calls a helper `check_...` that does; nested functions aside."""
    stack: list[ast.AST] = list(node.body)
    while stack:
        item = stack.pop()
        if isinstance(item, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(item, ast.Raise) and item.exc is not None:
            error = item.exc.func if isinstance(item.exc, ast.Call) else item.exc
            if ast.unparse(error) not in NO_MISTAKE:
                return True
        if isinstance(item, ast.Call):
            called = ast.unparse(item.func).rpartition(".")[2]
            if called.startswith("check_"):
                return True
        stack += ast.iter_child_nodes(item)
    return False


def hides_errors(function: Function) -> bool:
    """Whether it raises and has no section that says so."""
    if not raises(function.node):
        return False
    class_doc = function.around[0] if function.node.name == "__init__" else ""
    return "Raises:" not in function.doc + class_doc


COMMANDS = "training/cli/"  # a command's docstring is its help


def test_errors_are_documented():
    found = [f.where for path in PRODUCT for f in functions(path) if hides_errors(f)]
    assert [where for where in found if not where.startswith(COMMANDS)] == []


# --- containers ----------------------------------------------------------------------------------


def containers(path: Path) -> Iterator[ast.ClassDef]:
    """Public NamedTuples and dataclasses of a module."""
    for node in tree(path).body:
        if isinstance(node, ast.ClassDef) and is_public(node.name):
            named = any(ast.unparse(base) == "NamedTuple" for base in node.bases)
            if named or "dataclass" in decorators(node):
                yield node


def undocumented_fields(node: ast.ClassDef) -> list[str]:
    """Fields without a line under `Attributes:`, and array fields without a shape there."""
    _, _, section = (ast.get_docstring(node) or "").partition("Attributes:")
    entries = dict(re.findall(r"^ {4}(\w+): ((?:.|\n(?! {4}\w+:))*)", section, re.MULTILINE))
    found = []
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            annotation, field = ast.unparse(item.annotation), item.target.id
            if field.startswith("_") or "ClassVar" in annotation:
                continue
            entry = entries.get(field, "")
            if not entry or (is_array(annotation) and not SHAPE.search(entry)):
                found.append(field)
    return found


def test_fields_of_containers_are_documented():
    found = {
        f"{name(path)} {node.name}": undocumented_fields(node)
        for path in PRODUCT
        for node in containers(path)
    }
    assert {cls: fields for cls, fields in found.items() if fields} == {}


# --- one word, one thing -------------------------------------------------------------------------


def test_no_class_name_occurs_twice():
    places = defaultdict(list)
    for path in PRODUCT:
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name(path))
    assert {label: where for label, where in places.items() if len(where) > 1} == {}


# --- folders -------------------------------------------------------------------------------------

MOST_FILES = 15
# One folder for each experiment: counted are the files beside them, not the folders.
EXPERIMENTS = "results/reference"


def test_no_folder_has_too_many_files():
    count: dict[str, int] = defaultdict(int)
    for path in tracked():
        count[str(path.parent.relative_to(ROOT))] += 1
    full = {folder: files for folder, files in count.items() if files > MOST_FILES}
    assert {folder: files for folder, files in full.items() if folder != EXPERIMENTS} == {}


def place(parts: tuple[str, ...]) -> str:
    """A module's place: its subfolder, or the module itself where it lies in a root."""
    return "/".join(parts[:2])


def run_imports(node: ast.AST) -> Iterator[ast.ImportFrom]:
    """Import statements that run, also inside functions: not those for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.ImportFrom):
            yield child
        yield from run_imports(child)


MODULES = {path.relative_to(ROOT).with_suffix("").parts for path in PRODUCT}


def imported_places(path: Path) -> set[str]:
    """The places that a module imports, by absolute and by relative imports."""
    own = path.relative_to(ROOT).with_suffix("").parts
    found = set()
    for node in run_imports(tree(path)):
        if node.level:
            base = own[: len(own) - node.level]
        elif (node.module or "").startswith("tacit."):
            base = ()
        else:
            continue
        inside = tuple((node.module or "").removeprefix("tacit.").split(".")) if node.module else ()
        for alias in node.names:
            target = (*base, *inside, alias.name)
            target = target if target in MODULES else target[:-1]
            if len(target) > 1 and target[0] in FLOORS:
                found.add(place(target))
    return found - {place(own)}


def arrows() -> dict[str, set[str]]:
    """Place -> the places that its modules import."""
    graph: dict[str, set[str]] = defaultdict(set)
    for path in PRODUCT:
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] in FLOORS and parts[1:] != ("__init__",):
            graph[place(parts)] |= imported_places(path)
    return graph


def circles(graph: dict[str, set[str]]) -> list[str]:
    """Places that can be reached from themselves."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        pending = list(graph.get(start, ()))
        while pending:
            place = pending.pop()
            if place not in seen:
                seen.add(place)
                pending += graph.get(place, ())
        return seen

    return sorted(place for place in graph if place in reached(place))


def test_folders_import_downwards_and_in_no_circle():
    graph = arrows()
    upward = [
        f"{place} imports {other}"
        for place, others in graph.items()
        for other in others
        if FLOORS.index(other.partition("/")[0]) > FLOORS.index(place.partition("/")[0])
    ]
    assert upward == []
    assert circles(graph) == []


# --- the tests can fail --------------------------------------------------------------------------


def one(source: str) -> Function:
    """The function that a source defines."""
    node = next(n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef))
    return Function("here", node, ("",))


def test_what_is_missing_is_found():
    bare = one('def f(x: Floats, n: int) -> Ints:\n    """Of x, n times."""')
    assert without_shape(bare) == ["x", "return"]
    assert without_shape(bare._replace(around=("x float64 `[N]`",))) == ["return"]
    assert without_shape(one('def f(x: Floats) -> int:\n    """Of x `[N, 2]`."""')) == []
    assert without_shape(one('@kernel\ndef f(state: Any) -> Any:\n    """Of state["a"]."""')) == [
        "state"
    ]
    assert hides_errors(one('def f():\n    """Does."""\n    raise ValueError("no")'))
    assert hides_errors(one('def f():\n    """Does."""\n    check_all(1)'))
    assert not hides_errors(one('def f():\n    """.\n\n    Raises:\n    """\n    raise E'))
    assert not hides_errors(one("def f():\n    raise NotImplementedError"))
    pair = ast.parse(
        'class P(NamedTuple):\n    """Two.\n\n    Attributes:\n        a: one, `[N]`.\n'
        '        b: two.\n    """\n    a: Floats\n    b: Ints\n    c: int'
    ).body[0]
    assert undocumented_fields(pair) == ["b", "c"]
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
