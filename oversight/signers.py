"""Whom a verifier knows: its own list of signers, never one that comes with what is verified.

A list has OpenSSH's form *allowed_signers*, a name and a public key a line:

    alice@example.org ssh-ed25519 AAAAC3Nz...
    bob@example.org valid-before="20270101" ssh-ed25519 AAAAC3Nz...

It is looked for in this order: the option `--signers`, `$TACIT_SIGNERS`, and the file that the
user's own git names, `gpg.ssh.allowedSignersFile`. Revoked keys likewise: `--revoked`,
`$TACIT_REVOKED`, `gpg.ssh.revocationFile`. Of git only the user's own and the system's settings are
read: a folder that is verified may hold a git configuration as well.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from tacit.envs.errors import ConfigError

SIGNERS, REVOKED_KEYS = "TACIT_SIGNERS", "TACIT_REVOKED"  # environment variables
SECONDS = 5.0


class Signers(NamedTuple):
    """The lists of a verifier.

    Attributes:
        allowed: names and their keys; None: no list, so nobody is known.
        revoked: keys that no longer count; None: no list.
    """

    allowed: Path | None
    revoked: Path | None = None


NOBODY = Signers(None)


def find_signers(
    signers: Path | None = None, revoked: Path | None = None, outside: Path | None = None
) -> Signers:
    """The verifier's lists, from options, environment or git.

    Args:
        signers: the option `--signers`.
        revoked: the option `--revoked`.
        outside: the folder that is verified, in which no list may lie.

    Raises:
        ConfigError: a list that was asked for is missing, or lies in what is verified.
    """
    mistakes: list[str] = []
    found = [
        _list("--signers", signers, SIGNERS, "gpg.ssh.allowedSignersFile", outside, mistakes),
        _list("--revoked", revoked, REVOKED_KEYS, "gpg.ssh.revocationFile", outside, mistakes),
    ]
    if mistakes:
        raise ConfigError(mistakes)
    return Signers(*found)


def _list(
    option: str,
    given: Path | None,
    variable: str,
    key: str,
    outside: Path | None,
    mistakes: list[str],
) -> Path | None:
    """One list; mistakes are added to `mistakes`."""
    sources = [
        (option, given),
        (f"${variable}", Path(os.environ[variable]) if os.environ.get(variable) else None),
    ]
    for name, path in sources:
        if path is not None:
            path = path.expanduser()
            if not path.is_file():
                mistakes.append(f"{name}: there is no file {path}.")
            elif outside is not None and _lies_in(path, outside):
                mistakes.append(
                    f"{name}: {path} lies in {outside}, which is what is verified. Whom you trust "
                    "must come from yourself."
                )
            return Path(os.path.abspath(path))
    own = _of_git(key)
    if own is None or not own.is_file() or (outside is not None and _lies_in(own, outside)):
        return None  # git's setting was not made for this command: no mistake
    return own


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether a file lies in a folder, or below it, links followed."""
    root = os.path.realpath(folder)
    return os.path.commonpath([root, os.path.realpath(path)]) == root


def _of_git(key: str) -> Path | None:
    """A path among the settings of the user or the system in git; None if there is none."""
    for scope in ("--global", "--system"):
        command = ["git", "config", scope, "--includes", "--type=path", "--get", key]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                cwd=os.sep,
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        name = done.stdout.decode(errors="surrogateescape").strip("\n")
        if done.returncode == 0 and os.path.isabs(name):
            return Path(name)
    return None
