"""Loops over the rules of one market, generated from templates and cached on disk.

A *loop* runs kernels over copies and rounds. It is written once, as a *template*: an ordinary
module that imports the placeholders of `tacit.envs.rules`. `compiled()` writes a copy of it that
imports the kernels of one market instead (and that market's copies of other templates, whose names
end in `_loop`). Only such copies use Numba's disk cache.

Why files are generated. A cached function that inlines a helper of another file is not rebuilt when
that helper changes, and kernels that are passed as arguments, or closed over by a factory, miss the
cache in every new process. The name of a generated file holds a hash of everything that could be
inlined into it: its *import closure*, all modules of tacit and of the market that it imports,
directly or not. So a stale result cannot occur, and an edit elsewhere recompiles nothing.

Numba's cache is a pickle, the only one that tacit ever reads. So the folder is made with mode 0700,
and it is refused if another user owns anything in it, or could have written to it.
"""

from __future__ import annotations

import atexit
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import stat
import sys
import sysconfig
import tempfile
import threading
import warnings
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

# Serialises imports of generated modules: no thread may see a module that is half initialised.
_LOADING = threading.RLock()

RULES = "tacit.envs.rules"
TEMPLATE_IMPORT = f"from {RULES} import observe, play, reset"
TEMPLATE_OF_TEMPLATE = re.compile(r"^from (\S+_loop) import", re.MULTILINE)
# `from ..source import names` (dots, source, names) or `import names`, at a module's top level
IMPORT = re.compile(
    r"^(?:from (\.*)([\w.]*) import (\([^)]*\)|[^\n]*)|import ([\w., ]+))", re.MULTILINE
)
COMMENT = re.compile(r"#[^\n]*")
COMPILED_VIEWS = "tacit.envs.jit.compiled_views"  # in every loop, though no template imports it


class TemporaryCacheWarning(UserWarning):
    """Compiled code is not kept behind the end of this process."""


def cache_folder_name() -> Path:
    """Where the cache folder is, or would be; nothing is made or checked."""
    if chosen := os.environ.get("TACIT_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "tacit"


def cache_folder() -> Path:
    """`$TACIT_CACHE`, else `tacit` in the user's cache folder; created with mode 0700.

    Where the user's cache folder cannot be written to (a read-only home, a full disk), a temporary
    one takes its place until the process ends; processes that it starts use it as well.

    Raises:
        PermissionError: another user owns the folder or something in it, or could write to it.
        OSError: `$TACIT_CACHE` cannot be made.
    """
    folder = cache_folder_name()
    if os.environ.get("TACIT_CACHE"):
        return _private_folder(folder)
    if (refusal := _refusal(folder)) is None:
        return _private_folder(folder)
    temporary = tempfile.mkdtemp(prefix="tacit-cache-")  # with mode 0700
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    os.environ["TACIT_CACHE"] = temporary
    warnings.warn(
        f"{folder} cannot be written to ({refusal}): compiled code is kept for this process only. "
        "Set TACIT_CACHE to a folder of your own.",
        TemporaryCacheWarning,
        stacklevel=2,
    )
    return _private_folder(Path(temporary))


@cache
def _refusal(folder: Path) -> str | None:
    """What the system says where a folder cannot be made or written to; None: it can."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or str(error)


@cache
def _private_folder(folder: Path) -> Path:
    """`cache_folder`, once for each folder in a process."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not hasattr(os, "getuid"):
        return folder
    advice = "Remove the folder, or set TACIT_CACHE to one of your own."
    others = stat.S_IWGRP | stat.S_IWOTH
    info = folder.stat()
    if info.st_uid != os.getuid() or info.st_mode & others:
        raise PermissionError(
            f"{folder}: compiled code is kept here, so only you may write to it. "
            "Set TACIT_CACHE to a folder of your own."
        )
    # Where others cannot enter the folder, they cannot reach what is in it, whatever its own mode
    # (under umask 000 Numba writes files that everybody may write). Where they can, such a file may
    # be theirs.
    could_enter = bool(info.st_mode & (stat.S_IXGRP | stat.S_IXOTH))
    for path in _everything_in(folder):
        try:
            entry = os.lstat(path)
        except FileNotFoundError:
            continue  # another process has renamed what it has just written
        is_link = stat.S_ISLNK(entry.st_mode)
        is_loose = bool(entry.st_mode & others) and not is_link
        if entry.st_uid != os.getuid() or (could_enter and is_loose) or is_link:
            raise PermissionError(
                f"{path}: compiled code is kept here, and others could write it. {advice}"
            )
    if could_enter:
        folder.chmod(0o700)
    return folder


def _everything_in(folder: Path) -> Iterator[str]:
    """All folders and files within a folder; links are not followed."""
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            yield os.path.join(parent, name)


def compiled(template: str, market: str | None = None) -> ModuleType:
    """The loops of module `template` over the kernels of module `market`, ready to call.

    Args:
        template: the dotted name of a template.
        market: the dotted name of a module that holds `reset`, `observe` and `play`; None for
            templates that import no rules, such as the arithmetic of networks.

    Raises:
        ValueError: `market` is given and the template imports no rules, or the other way round.
        ModuleNotFoundError: a module without a source file.
    """
    with _LOADING:
        return _compiled(template, market)


@cache
def _compiled(template: str, market: str | None) -> ModuleType:
    """`compiled`, once for each pair of arguments; the caller holds the lock."""
    origin = _origin(template)
    text = origin.read_text(encoding="utf-8")
    others = sorted(set(TEMPLATE_OF_TEMPLATE.findall(text)))
    over_rules = TEMPLATE_IMPORT in text
    if (market is None and over_rules) or (market is not None and not (over_rules or others)):
        raise ValueError(
            f"{origin}: a template over a market must hold the line '{TEMPLATE_IMPORT}', others not"
        )
    text = text.replace(TEMPLATE_IMPORT, f"from {market} import observe, play, reset")
    for other in others:
        generated = compiled(other, market).__name__
        text = text.replace(f"from {other} import", f"from {generated} import")
    name = _name(template, market)
    path = cache_folder() / f"{name}.py"
    # A source that was edited while another process came by here may have left a file of this name
    # with other text.
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        _write(path, text)
    return _load(f"_tacit_{name}", path)


def _name(template: str, market: str | None) -> str:
    """The name of a generated file: template, market, and 64 bits of a hash of all sources."""
    digest = hashlib.sha256("|".join(_versions()).encode())
    sources = [name for name in (template, market) if name]
    for module in import_closure([*sources, COMPILED_VIEWS]):
        digest.update(module.encode() + b"\0" + _origin(module).read_bytes() + b"\0")
    parts = [name.rpartition(".")[2] for name in sources]
    return "_".join([*parts, digest.hexdigest()[:16]])


def _versions() -> tuple[str, ...]:
    """The versions on which compiled code depends."""
    import llvmlite
    import numba

    return numba.__version__, llvmlite.__version__, platform.python_version()


def _load(name: str, path: Path) -> ModuleType:
    """Import a generated file as module `name`."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Numba looks a function's module up by name, so it is registered before its code runs.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


# --- what a loop is made of ----------------------------------------------------------------------


def import_closure(modules: Iterable[str]) -> list[str]:
    """These modules and all that they import, directly or not, in order of name.

    Followed are modules of tacit and a user's own (a market in a folder of theirs), not installed
    libraries.
    """
    pending, found = list(modules), set[str]()
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += [other for other in _imported(name) if _is_followed(other)]
    return sorted(found)


def _imported(module: str) -> list[str]:
    """What a module's top-level import statements name: modules, and functions in them."""
    origin = _origin(module)
    package = module if origin.name == "__init__.py" else module.rpartition(".")[0]
    names: list[str] = []
    for dots, source, imported, plain in IMPORT.findall(origin.read_text(encoding="utf-8")):
        if plain:
            names += [part.split()[0] for part in plain.split(",")]
            continue
        above = package.rsplit(".", len(dots) - 1)[0] if len(dots) > 1 else package
        base = f"{above}.{source}".rstrip(".") if dots else source
        parts = COMMENT.sub("", imported).strip("()").split(",")
        inside = [f"{base}.{part.split()[0]}" for part in parts if part.strip()]
        names += inside
        # What is no module is a function or a constant of `base`, which is then imported too.
        if not all(map(_is_followed, inside)):
            names.append(base)
    return names


@cache
def _is_followed(name: str) -> bool:
    """Whether a name is a module of tacit, or one outside the installed libraries."""
    own, _, _ = name.partition(".")
    if own != "tacit" and (own in sys.stdlib_module_names or not _is_outside_libraries(own)):
        return False
    parent, _, _ = name.rpartition(".")
    # `find_spec` imports the parents of a name and fails where one is no package: check first.
    if parent and not _is_package(parent):
        return False
    spec = importlib.util.find_spec(name)
    return spec is not None and str(spec.origin).endswith(".py")


@cache
def _is_package(name: str) -> bool:
    """Whether a name is a package, that is, can have modules in it."""
    parent, _, _ = name.rpartition(".")
    if parent and not _is_package(parent):
        return False
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.submodule_search_locations is not None


@cache
def _is_outside_libraries(package: str) -> bool:
    """Whether a top-level package or module lies outside the folders of installed libraries."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.origin:
        return False
    installed = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    return not spec.origin.startswith(installed)


def _origin(module: str) -> Path:
    """The source file of a module, found without importing the module itself."""
    if module == "__main__":
        raise ModuleNotFoundError(
            "__main__: loops import a market's kernels, so these must be in a module of their own"
        )
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{module}: its source file is needed to compile a loop")
    return Path(spec.origin)


def _write(path: Path, text: str) -> None:
    """Write a file atomically: several processes may generate the same one at once."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)
