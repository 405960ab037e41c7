"""Keys of SSH, made for one test session, and lists of whom a verifier knows."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen")


def make_key(folder: Path, name: str, passphrase: str = "") -> Path:
    """A new key; the public one lies beside it."""
    key = folder / name
    if not key.exists():
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", str(key)]
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
    return key


def public(key: Path) -> str:
    """The public key, as a line."""
    return key.with_name(key.name + ".pub").read_text().strip()


def signers_file(path: Path, *lines: str) -> Path:
    """A list of signers: lines as `alice`, an option, and a key."""
    path.write_text("".join(f"{line}\n" for line in lines))
    return path
