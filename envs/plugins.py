"""Code of users: their markets, and the files in which they register what is theirs.

    @tacit.register_market                             # in Python, or in a file my_market.py
    class Lemonade(Market): ...

    export TACIT_PLUGINS=my_market.py                  # for the command line

A market of an installed package needs neither: `tacit.envs.registry` finds it by its entry point.


`TACIT_PLUGINS` lists Python files or modules, separated like a path list (`:`, on Windows `;`). The
command line and its worker processes import them; importing registers markets, agents
(`tacit.register_agent`) and probes (`tacit.register_probe`). Only this variable and Python code
name such files. A run folder never does: reading a run that somebody else made executes none of
its maker's code, beside what is installed here already.

Processes that train networks import what their parent has registered in Python (`hand_over`).
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import sysconfig
import traceback
from pathlib import Path

from . import register_environments
from .errors import ConfigError
from .market import Market
from .market.check import class_mistakes
from .registry import MARKETS

VARIABLE = "TACIT_PLUGINS"
HANDED_OVER = "TACIT_REGISTERED"  # from a process that trains to its workers; JSON, module -> file
REMEMBERED: dict[str, str] = {}  # modules that have registered something -> their files
# Folders of code that is not a user's: the standard library, installed packages, tacit.
NOT_THE_USERS = (
    sysconfig.get_path("stdlib"),
    sysconfig.get_path("purelib"),
    *(str(Path(str(sys.modules[name].__file__)).parent) for name in ("tacit", "tacit.envs")),
)


def register_market(cls: type[Market]) -> type[Market]:
    """Make a market known by its name, as the shipped ones are; usable as a decorator.

    Raises:
        ConfigError: the class lacks an attribute, the name belongs to another market, or the class
            is defined in `__main__`, where compiled loops could not import its kernels.
    """
    if mistakes := class_mistakes(cls):
        raise ConfigError(mistakes)
    home = f"{cls.__module__}:{cls.__qualname__}"
    if cls.__module__ == "__main__":
        raise ConfigError(
            f"{cls.__qualname__}: a market is defined in a module of its own, not in the script "
            "that is run: compiled loops import its kernels."
        )
    if MARKETS.get(cls.name, home) != home:
        raise ConfigError(f"{home}: the name '{cls.name}' belongs to {MARKETS[cls.name]}.")
    MARKETS[cls.name] = home
    register_environments(cls.name, cls.version)
    remember(cls.__module__)
    return cls


def remember(module: str) -> None:
    """Note that a module has registered something, so that worker processes import it too."""
    path = getattr(sys.modules.get(module), "__file__", None)
    if path and module != "__main__" and module.partition(".")[0] != "tacit":
        REMEMBERED[module] = str(Path(path).resolve())


def hand_over() -> dict[str, str]:
    """What a worker process needs in its environment, to import the same modules."""
    return {HANDED_OVER: json.dumps(REMEMBERED)} if REMEMBERED else {}


def _load_handed_over() -> None:
    """Import what the parent process had registered; what is not there any more is left out."""
    for module, path in json.loads(os.environ.get(HANDED_OVER, "{}")).items():
        if module in sys.modules:
            continue
        if importlib.util.find_spec(module.partition(".")[0]) is not None:
            importlib.import_module(module)
        elif "." not in module and Path(path).is_file():
            _import_file(path)


def load_plugins() -> None:
    """Import what `TACIT_PLUGINS` names, and in a worker process what its parent has registered.

    Raises:
        ConfigError: a file or module that is not there or does not import; where it fails, the
            message has the file and the line.
    """
    for source in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        try:
            if source.endswith(".py"):
                _import_file(source)
            else:
                importlib.import_module(source)
        except ConfigError:
            raise
        except Exception as error:
            raise ConfigError(f"{VARIABLE}: {source}: {_in_words(error, source)}.") from error
    _load_handed_over()


def _in_words(error: Exception, source: str) -> str:
    """What went wrong while a file was imported, at the innermost line that is the user's own."""
    what = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError):
        what = f"{type(error).__name__}: {error.msg}"
        places = [(error.filename or source, error.lineno)]
    else:
        frames = traceback.extract_tb(error.__traceback__)
        places = [(f.filename, f.lineno) for f in frames]
    own = [place for place in places if not place[0].startswith(("<", *NOT_THE_USERS))]
    if not own:
        return what
    file, line = own[-1]
    elsewhere = "" if Path(file) == Path(source).resolve() else f" of {file}"
    return f"line {line}{elsewhere}: {what}"


def _import_file(source: str) -> None:
    """Import a file as a module named like it, so that compiled loops can import it by that name.

    Raises:
        ConfigError: no such file, or another module of this name is loaded.
    """
    path = Path(source).resolve()
    if not path.is_file():
        raise ConfigError(f"{VARIABLE}: there is no file '{source}'.")
    known = sys.modules.get(path.stem)
    if known is not None:
        if Path(str(getattr(known, "__file__", ""))).resolve() == path:
            return
        raise ConfigError(f"{VARIABLE}: {source}: a module '{path.stem}' is loaded already.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[path.stem]
        raise
