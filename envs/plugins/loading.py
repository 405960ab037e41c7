"""Import what users registered: in this process, and in the worker processes that it starts."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import sysconfig
import traceback
from pathlib import Path

from tacit.envs.errors import ConfigError

from .registering import REMEMBERED

VARIABLE = "TACIT_PLUGINS"
HANDED_OVER = "TACIT_REGISTERED"  # from a process that trains to its workers; JSON, module -> file
# Folders of code that is not a user's: the standard library, installed packages, tacit.
NOT_THE_USERS = (
    sysconfig.get_path("stdlib"),
    sysconfig.get_path("purelib"),
    *(str(Path(str(sys.modules[name].__file__)).parent) for name in ("tacit", "tacit.envs")),
)


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
