"""Compilation: small kernels, and loops generated for one market.

A *kernel* is a scalar function of one copy (`reset`, `observe`, `play`, `score`, the draws). It is
compiled once per process without a cache of its own.

A *loop* runs kernels over copies and rounds. It is written once, as a template: a real .py file
that imports the kernels of `tacit.envs.ad_auction`. `compiled()` writes a copy of it that imports
another market's kernels instead (and that market's copies of other templates, whose names end in
`_loop`), named after a hash of all sources it is made of, and only those
copies use Numba's disk cache. (A cached function that inlines a helper from another file is not
rebuilt when the helper changes; a file whose name holds the hash of all of them is.)

Numba's cache is a pickle, the only one that tacit ever reads: the folder is made with mode 0700
and refused if another user owns it or may write to it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
import stat
import sys
import tempfile
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import llvmlite
import numba

F = TypeVar("F", bound=Callable[..., Any])
_LOADING = threading.RLock()  # a module half executed by one thread is no module for another

TEMPLATE_IMPORT = "from tacit.envs.ad_auction import observe, play, reset"
TEMPLATE_OF_TEMPLATE = re.compile(r"^from (\S+_loop) import", re.MULTILINE)


def kernel(f: F) -> F:
    """Compile a scalar function of one copy. No fastmath: `.py_func` must agree bit for bit."""
    compiled_f: F = numba.njit(error_model="numpy", forceinline=True)(f)
    return compiled_f


def called_kernel(f: F) -> F:
    """A kernel that stays a call of its own: for long rules beside a short path that runs often.
    (Inlined everywhere, they would cost every loop seconds of compilation.)"""
    compiled_f: F = numba.njit(error_model="numpy")(f)
    return compiled_f


def inlined(f: F) -> F:
    """Compile a part of a loop into its callers: it may take whole `Game`s and `Rows`, which are
    too many words to pass in a real call."""
    compiled_f: F = numba.njit(error_model="numpy", inline="always")(f)
    return compiled_f


def loop(f: F) -> F:
    """Compile a loop of a generated file: cached on disk, and free of the interpreter lock."""
    compiled_f: F = numba.njit(error_model="numpy", nogil=True, cache=True)(f)
    return compiled_f


def cache_folder() -> Path:
    """`$TACIT_CACHE`, else `tacit` in the user's cache folder; created with mode 0700."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(os.environ.get("TACIT_CACHE") or Path(base) / "tacit")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    info = folder.stat()
    others = stat.S_IWGRP | stat.S_IWOTH
    if hasattr(os, "getuid") and (info.st_uid != os.getuid() or info.st_mode & others):
        raise PermissionError(
            f"{folder}: compiled code is kept here, so only you may write to it. "
            "Set TACIT_CACHE to a folder of your own."
        )
    return folder


def _origin(module: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{module}: its source file is needed to compile a loop")
    return Path(spec.origin)


def compiled(template: str, market: str | None = None) -> ModuleType:
    """The loops of module `template` over the kernels of module `market`, ready to call.

    `market` is None for templates that know no market, such as the arithmetic of networks.
    """
    with _LOADING:
        return _compiled(template, market)


@cache
def _compiled(template: str, market: str | None) -> ModuleType:
    origin = _origin(template)
    text = origin.read_text(encoding="utf-8")
    others = sorted(set(TEMPLATE_OF_TEMPLATE.findall(text)))
    if (TEMPLATE_IMPORT in text) > (market is not None) or not (
        market is None or others or TEMPLATE_IMPORT in text
    ):
        raise ValueError(
            f"{origin}: a template over a market must hold the line '{TEMPLATE_IMPORT}', others not"
        )
    text = text.replace(TEMPLATE_IMPORT, f"from {market} import observe, play, reset")
    for other in others:
        generated = compiled(other, market).__name__
        text = text.replace(f"from {other} import", f"from {generated} import")
    digest = hashlib.sha256(text.encode())  # (it names the loops generated of other templates)
    # Any source of the engine, of the market or beside the template may be inlined into the loop.
    folders = {Path(__file__).parents[1], origin.parent}
    folders |= {_origin(market).parent} if market else set()
    for path in sorted({p for folder in folders for p in folder.rglob("*.py")}):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    versions = (numba.__version__, llvmlite.__version__, platform.python_version())
    digest.update("|".join(versions).encode())
    parts = [name.rpartition(".")[2] for name in (template, market) if name]
    name = "_".join([*parts, digest.hexdigest()[:16]])
    path = cache_folder() / f"{name}.py"
    if not path.exists():
        _write(path, text)
    spec = importlib.util.spec_from_file_location(f"_tacit_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _write(path: Path, text: str) -> None:
    """Atomically: several processes may generate the same file at once."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)
