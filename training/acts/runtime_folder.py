"""Where the sockets of a user lie: a folder that nobody else can enter.

`$XDG_RUNTIME_DIR/tacit`, or `/tmp/tacit-<uid>` where there is none. A socket's name is made of the
real path of its run, so that it is found from the run alone, whatever the run's own path is long,
and also where the run lies on a disk that has no sockets or can only be read.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from tacit.envs.errors import ConfigError
from tacit.training.storage.run_folder import RunFolder

MOST_PATH = 100  # bytes of a socket's path that every system allows


def socket_path(run: RunFolder) -> Path:
    """Where the socket of a run lies, or would.

    Raises:
        ConfigError: the user's runtime folder has too long a path.
    """
    digest = hashlib.sha256(os.fsencode(os.path.realpath(run.path))).hexdigest()[:24]
    path = _folder() / f"{digest}.sock"
    if len(os.fsencode(path)) > MOST_PATH:
        raise ConfigError(
            f"XDG_RUNTIME_DIR: {path.parent} is too long a path for a socket (at most {MOST_PATH} "
            "bytes with its name). Name a shorter folder that only you can enter."
        )
    return path


def make_folder() -> Path:
    """The runtime folder, made if it is missing.

    Raises:
        ConfigError: it cannot be made, or others could enter it.
    """
    folder = _folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise ConfigError(f"XDG_RUNTIME_DIR: {folder}: {error.strerror}.") from None
    private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
    if found.st_uid != os.getuid() or not private:
        raise ConfigError(
            f"XDG_RUNTIME_DIR: {folder} must be a folder of yours that nobody else can enter "
            "(chmod 700)."
        )
    return folder


def _folder() -> Path:
    named = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(named):
        return Path(named) / "tacit"
    return Path(tempfile.gettempdir()) / f"tacit-{os.getuid()}"
