"""Signatures by OpenSSH: `ssh-keygen -Y sign` and `-Y verify`, on keys that users of git have.

A signature is made for one *namespace*, so that one made for a commit of git cannot stand below an
objective. Whom a key belongs to is said by the verifier's list of signers (`signers.py`), never by
what was signed.

    signature = sign(data, Path("~/.ssh/id_ed25519").expanduser(), OBJECTIVE)
    check(data, signature, "alice@example.org", OBJECTIVE, signers).kind      # "listed"

No question is ever asked: `ssh-keygen` runs without a terminal, without a program that asks for
passphrases, and within a time limit. Formats: OpenSSH, PROTOCOL.sshsig, and ssh-keygen(1).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from tacit.envs.errors import ConfigError

from .signers import Signers

OBJECTIVE, LEDGER = "tacit-objective@v1", "tacit-ledger@v1"  # namespaces
PROGRAM = "ssh-keygen"
SECONDS = 20.0  # a security key may wait for a touch
MOST_BYTES = 65_536  # of a signature; one by a key of 16,384 bits has 6 kB

# What a check finds.
LISTED = "listed"  # by a key that the verifier lists for this very name
UNLISTED = "unlisted"  # intact, by a key that the verifier does not list
OTHER = "other"  # intact, by a key that is listed for somebody else
EXPIRED = "expired"  # intact, by a key that is listed but not valid today
REVOKED = "revoked"  # intact, by a key that was revoked
ALTERED = "altered"  # it is not a signature of these bytes
FOREIGN = "foreign"  # made for another purpose: another namespace
UNCHECKED = "unchecked"  # there is no ssh-keygen here, or it did not answer

ARMOR = re.compile(
    rb"\s*-----BEGIN SSH SIGNATURE-----\s(.*?)-----END SSH SIGNATURE-----\s*", re.DOTALL
)
MAGIC = b"SSHSIG"


class SignatureCheck(NamedTuple):
    """What is known of a signature.

    Attributes:
        kind: LISTED, UNLISTED, OTHER, EXPIRED, REVOKED, ALTERED, FOREIGN or UNCHECKED.
        key: fingerprint of the key, as `SHA256:...`; empty if it cannot be read.
        text: the same in words, to follow on what was signed.
    """

    kind: str
    key: str
    text: str

    @property
    def is_intact(self) -> bool:
        """Whether exactly these bytes were signed for this purpose, by whomever."""
        return self.kind in (LISTED, UNLISTED, OTHER, EXPIRED, REVOKED)


class Answer(NamedTuple):
    """How `ssh-keygen` ended.

    Attributes:
        code: exit status.
        out: standard output.
        err: standard error, on one line.
    """

    code: int
    out: bytes
    err: str


# --- signing -------------------------------------------------------------------------------------


def sign(data: bytes, key: Path, namespace: str) -> bytes:
    """The signature of some bytes.

    Args:
        data: what is signed.
        key: a private key's file, or the public one of a key that ssh-agent holds.
        namespace: what for, OBJECTIVE or LEDGER.

    Raises:
        ConfigError: there is no such key or no ssh-keygen, or the key is locked by a passphrase.
    """
    key = key.expanduser()
    if not key.is_file():
        raise ConfigError(f"--key: {key} is no file. Give a key of SSH: ~/.ssh/id_ed25519, say.")
    answer = _ssh_keygen("sign", "-f", os.path.abspath(key), "-n", namespace, data=data)
    if answer.code or read_signature(answer.out) is None:
        if "passphrase" in answer.err:
            why = f"it has a passphrase, which is not asked for. Unlock it first: ssh-add {key}"
        else:
            why = answer.err or f"{PROGRAM} ended with {answer.code} and said nothing"
        raise ConfigError(f"--key: {key} cannot sign: {why}.")
    return answer.out


# --- checking ------------------------------------------------------------------------------------


def check(
    data: bytes, signature: bytes, name: str, namespace: str, signers: Signers
) -> SignatureCheck:
    """Whether these bytes were signed, for this purpose, by a key that is listed for this name.

    Args:
        data: what is said to be signed.
        signature: as `sign` returned it.
        name: who is said to have signed; empty: whoever the key is listed for.
        namespace: what for, OBJECTIVE or LEDGER.
        signers: whom the verifier knows.
    """
    parts = read_signature(signature)
    if parts is None:
        return SignatureCheck(ALTERED, "", "is no signature of SSH; it was cut or altered")
    key, made_for = parts
    if made_for != namespace:
        text = f"was made for {_plain(made_for)!r}, not for {namespace!r}"
        return SignatureCheck(FOREIGN, key, text)
    try:
        kind, text = _check(data, signature, name, namespace, signers)
    except ConfigError as error:
        return SignatureCheck(UNCHECKED, key, f"cannot be checked: {error.mistakes[0]}")
    return SignatureCheck(kind, key, text.replace("{key}", key))


def _check(
    data: bytes, signature: bytes, name: str, namespace: str, signers: Signers
) -> tuple[str, str]:
    """Kind of a signature that can be read, and words in which `{key}` stands for its key.

    Raises:
        ConfigError: there is no ssh-keygen, or it did not answer.
    """
    with tempfile.TemporaryDirectory(prefix="tacit") as folder:
        file = Path(folder) / "signature"
        file.write_bytes(signature)
        signed = ("-n", namespace, "-s", str(file))
        allowed = ("-f", str(signers.allowed)) if signers.allowed else ()
        revoked = ("-r", str(signers.revoked)) if signers.revoked else ()
        verified = None
        owners = _owners(allowed, file) if allowed else []
        if allowed:
            own = name or (owners[0] if owners else "-")
            named = (*allowed, "-I", own, *signed)
            verified = _ssh_keygen("verify", *named, *revoked, data=data)
            if verified.code == 0:
                return LISTED, f"is by the key that is listed for {_plain(own)} ({{key}})"
        if _ssh_keygen("check-novalidate", *signed, data=data).code:
            return ALTERED, "does not fit: it, or what it signs, was altered"
        if verified is None:
            return UNLISTED, f"is intact, but by a key that you do not list ({{key}}; {NO_LIST})"
        if revoked and _ssh_keygen("verify", *named, data=data).code == 0:
            return REVOKED, "is by a key that was revoked ({key})"
        if "expired" in verified.err or "not yet valid" in verified.err:
            return EXPIRED, "is by a key that is listed, but not valid today ({key})"
        if name and owners and name not in owners:
            others = _plain(", ".join(owners))
            return OTHER, f"is by the key of {others}, not of {_plain(name)} ({{key}})"
        return UNLISTED, "is intact, but by a key that you do not list ({key})"


def _owners(allowed: tuple[str, ...], signature: Path) -> list[str]:
    """The names for which the key of a signature is listed; empty if it is not.

    Raises:
        ConfigError: there is no ssh-keygen, or it did not answer.
    """
    answer = _ssh_keygen("find-principals", *allowed, "-s", str(signature), data=b"")
    lines = answer.out.decode(errors="replace").splitlines() if answer.code == 0 else []
    return [name for line in lines for name in line.split(",") if name]


NO_LIST = "you have no list of signers: set $TACIT_SIGNERS"


def read_signature(signature: bytes) -> tuple[str, str] | None:
    """Fingerprint of the key and namespace of a signature; None if it cannot be read.

    The armour holds, in base64: `SSHSIG`, a version, then the public key, the namespace and more,
    each as a length of four bytes and so many bytes (OpenSSH, PROTOCOL.sshsig).
    """
    found = ARMOR.fullmatch(signature) if len(signature) <= MOST_BYTES else None
    if found is None:
        return None
    try:
        blob = base64.b64decode(b"".join(found[1].split()), validate=True)
        if blob[: len(MAGIC)] != MAGIC:
            return None
        key, rest = _string(blob[len(MAGIC) + 4 :])
        namespace, _ = _string(rest)
        return fingerprint(key), namespace.decode()
    except (ValueError, binascii.Error):
        return None


def fingerprint(key: bytes) -> str:
    """The fingerprint of a public key, as `ssh-keygen -l` prints it."""
    digest = base64.b64encode(hashlib.sha256(key).digest()).decode()
    return f"SHA256:{digest.rstrip('=')}"


def _string(data: bytes) -> tuple[bytes, bytes]:
    """A string of the SSH protocol, and what follows it.

    Raises:
        ValueError: it is cut.
    """
    length = int.from_bytes(data[:4])
    if len(data) < 4 + length or len(data) < 4:
        raise ValueError("cut")
    return data[4 : 4 + length], data[4 + length :]


# --- the program ---------------------------------------------------------------------------------


def _ssh_keygen(action: str, *arguments: str, data: bytes) -> Answer:
    """Run `ssh-keygen -Y action`; it can ask nobody for anything.

    Raises:
        ConfigError: it is not installed, or did not end in time.
    """
    kept = ("PATH", "HOME", "SYSTEMROOT", "SSH_AUTH_SOCK", "SSH_SK_PROVIDER")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    # A session of its own has no terminal to ask for a passphrase on.
    environment |= {"LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"}
    try:
        done = subprocess.run(
            [PROGRAM, "-Y", action, *arguments],
            input=data,
            capture_output=True,
            timeout=SECONDS,
            start_new_session=True,
            env=environment,
            check=False,
        )
    except FileNotFoundError:
        raise ConfigError(f"{PROGRAM} is not installed (OpenSSH 8.2 or later has it)") from None
    except subprocess.TimeoutExpired:
        raise ConfigError(f"{PROGRAM} did not answer within {SECONDS:g} seconds") from None
    except OSError as error:
        raise ConfigError(f"{PROGRAM} cannot be run: {error.strerror or error}") from None
    except ValueError as error:  # a NUL in an argument
        raise ConfigError(f"{PROGRAM} cannot be run: {error}") from None
    lines = done.stderr.decode(errors="replace").replace("\r", "\n").splitlines()
    lines = [line for line in lines if not line.startswith("@")]  # a banner around a warning
    told = [line.strip() for line in lines if line.strip() and not line.startswith("Signing data")]
    return Answer(done.returncode, done.stdout, _plain("; ".join(told)))


def _plain(text: str) -> str:
    """A text on one line, cut where it is long."""
    return "".join(c if c.isprintable() else "?" for c in text)[:300]
