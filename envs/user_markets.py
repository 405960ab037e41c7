"""Markets that users write: registered from Python, or named in the environment.

    tacit.register_market(Lemonade)                    # in Python
    export TACIT_MARKETS=lemonade.py                   # for the command line

`TACIT_MARKETS` lists Python files or modules, separated like a path list (`:`, on Windows `;`); the
command line and its worker processes import them and register every market class that they define.
Only this variable and Python code name such files. A run folder never does: reading a run that
somebody else made executes none of its maker's code.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
from pathlib import Path
from types import ModuleType

from .errors import ConfigError
from .market import Market
from .registry import MARKETS

VARIABLE = "TACIT_MARKETS"


def register_market(cls: type[Market]) -> type[Market]:
    """Make a market known by its name, as the shipped ones are; usable as a decorator.

    Raises:
        ConfigError: the name belongs to another market, or the class is defined in `__main__`,
            where compiled loops could not import its kernels.
    """
    home = f"{cls.__module__}:{cls.__qualname__}"
    if cls.__module__ == "__main__":
        raise ConfigError(
            f"{cls.__qualname__}: a market is defined in a module of its own, not in the script "
            "that is run: compiled loops import its kernels."
        )
    if MARKETS.get(cls.name, home) != home:
        raise ConfigError(f"{home}: the name '{cls.name}' belongs to {MARKETS[cls.name]}.")
    MARKETS[cls.name] = home
    return cls


def load_user_markets() -> None:
    """Import what `TACIT_MARKETS` names and register the markets that are defined there.

    Raises:
        ConfigError: a file or module that is not there, does not import, or defines no market.
    """
    for source in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        module = _imported(source)
        found = [
            cls
            for _, cls in inspect.getmembers(module, inspect.isclass)
            if issubclass(cls, Market) and cls.__module__ == module.__name__
        ]
        if not found:
            raise ConfigError(f"{VARIABLE}: {source} defines no market.")
        for cls in found:
            register_market(cls)


def _imported(source: str) -> ModuleType:
    try:
        if not source.endswith(".py"):
            return importlib.import_module(source)
        path = Path(source).resolve()
        if not path.is_file():
            raise ConfigError(f"{VARIABLE}: there is no file '{source}'.")
        return _from_file(path)
    except ImportError as error:
        raise ConfigError(f"{VARIABLE}: {source} cannot be imported: {error}.") from None


def _from_file(path: Path) -> ModuleType:
    """A file as a module of its stem's name, so that compiled loops can import it by that name."""
    name = path.stem
    known = sys.modules.get(name)
    if known is not None:
        if Path(str(getattr(known, "__file__", ""))).resolve() == path:
            return known
        raise ConfigError(f"{VARIABLE}: {path.name}: a module '{name}' is loaded already.")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
