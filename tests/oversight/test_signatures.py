"""Signatures: what each kind of key, list and forgery comes to, and that nothing ever waits."""

from __future__ import annotations

import base64
import os
import subprocess
import time

import pytest
from support.audit.ssh_keys import make_key, needs_ssh, public, signers_file

from tacit.envs.errors import ConfigError
from tacit.oversight import signatures, signers
from tacit.oversight.signatures import LEDGER, OBJECTIVE, check, fingerprint, read_signature, sign
from tacit.oversight.signers import NOBODY, Signers, find_signers

pytestmark = needs_ssh
DATA = b'{"a":1}'


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {name: make_key(folder, name) for name in ("alice", "mallory")}


@pytest.fixture(scope="module")
def signature(keys):
    return sign(DATA, keys["alice"], OBJECTIVE)


@pytest.fixture
def listed(tmp_path, keys):
    def make(*lines, revoked=None):
        words = {name: public(key) for name, key in keys.items()}
        path = signers_file(tmp_path / "signers", *(line.format(**words) for line in lines))
        return Signers(path, revoked)

    return make


def kind(signature, known, name="alice", data=DATA, namespace=OBJECTIVE):
    return check(data, signature, name, namespace, known).kind


def test_a_listed_key_and_its_fingerprint(signature, listed, keys):
    found = check(DATA, signature, "alice", OBJECTIVE, listed("alice {alice}"))
    assert found.kind == signatures.LISTED
    assert found.is_intact
    told = subprocess.run(
        ["ssh-keygen", "-l", "-f", keys["alice"]], capture_output=True, text=True, check=True
    )
    assert found.key == told.stdout.split()[1]
    assert found.key in found.text


def test_whoever_a_key_is_listed_for_if_no_name_is_given(signature, listed):
    found = check(DATA, signature, "", OBJECTIVE, listed("alice {alice}"))
    assert found.kind == signatures.LISTED
    assert "listed for alice" in found.text
    assert kind(signature, listed("mallory {mallory}"), name="") == signatures.UNLISTED


@pytest.mark.parametrize("data", [b"", b'{"a":2}', DATA + b"\n"])
def test_altered_bytes(data, signature, listed):
    for known in (NOBODY, listed("alice {alice}")):
        assert kind(signature, known, data=data) == signatures.ALTERED


def test_an_unlisted_key_is_told_from_an_altered_text(signature, listed):
    for known in (NOBODY, listed("mallory {mallory}"), listed("")):
        found = check(DATA, signature, "alice", OBJECTIVE, known)
        assert (found.kind, found.is_intact) == (signatures.UNLISTED, True)
        assert "intact, but by a key that you do not list" in found.text


def test_mallory_posing_as_alice(keys, listed):
    known = listed("alice {alice}", "mallory {mallory}")
    found = check(DATA, sign(DATA, keys["mallory"], OBJECTIVE), "alice", OBJECTIVE, known)
    assert found.kind == signatures.OTHER
    assert "the key of mallory, not of alice" in found.text


def test_an_expired_key(signature, listed):
    assert kind(signature, listed('alice valid-before="20200101" {alice}')) == signatures.EXPIRED
    assert kind(signature, listed('alice valid-after="29990101" {alice}')) == signatures.EXPIRED
    assert kind(signature, listed('alice valid-before="29990101" {alice}')) == signatures.LISTED


def test_a_revoked_key(signature, listed, keys, tmp_path):
    revoked = tmp_path / "revoked"
    subprocess.run(
        ["ssh-keygen", "-q", "-k", "-f", revoked, f"{keys['alice']}.pub"],
        check=True,
        capture_output=True,
    )
    assert kind(signature, listed("alice {alice}", revoked=revoked)) == signatures.REVOKED


def test_a_signature_for_another_purpose(keys, listed):
    known = listed("alice {alice}")
    for namespace in ("git", "file", LEDGER):
        found = check(DATA, sign(DATA, keys["alice"], namespace), "alice", OBJECTIVE, known)
        assert (found.kind, found.is_intact) == (signatures.FOREIGN, False)
        assert f"was made for '{namespace}'" in found.text


def test_a_key_that_is_listed_for_another_purpose(signature, listed):
    assert kind(signature, listed('alice namespaces="git" {alice}')) == signatures.UNLISTED


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: b"",
        lambda s: s[:100],
        lambda s: s.replace(b"U1NI", b"U1NJ"),
        lambda s: b"x" + s,
        lambda s: s.replace(b"BEGIN", b"BEGUN"),
        lambda s: s * 300,
        lambda s: (
            b"-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAf////8=\n-----END SSH SIGNATURE-----\n"
        ),
    ],
)
def test_what_is_no_signature(spoil, signature, listed):
    assert kind(spoil(signature), listed("alice {alice}")) == signatures.ALTERED


def test_every_flipped_byte_of_a_signature_is_found(signature, listed):
    known = listed("alice {alice}")
    for place in range(60, len(signature) - 40, 37):
        spoilt = bytearray(signature)
        spoilt[place] = ord("A") if spoilt[place] != ord("A") else ord("B")
        assert kind(bytes(spoilt), known) != signatures.LISTED, place


@pytest.mark.parametrize(
    "name", ["-h", "*", "alice,mallory", "!alice", "\x1b[2J", "a\0b", "ali ce"]
)
def test_names_that_are_no_plain_names(name, signature, listed):
    found = check(DATA, signature, name, OBJECTIVE, listed("alice {alice}"))
    assert found.kind != signatures.LISTED
    assert found.text.isprintable()


def test_a_list_that_holds_codes_for_a_terminal(signature, listed):
    found = check(DATA, signature, "bob", OBJECTIVE, listed('"\x1b[2Jmallory" {alice}'))
    assert found.kind in (signatures.OTHER, signatures.UNLISTED)
    assert found.text.isprintable()


# --- never waiting -------------------------------------------------------------------------------


def test_a_key_with_a_passphrase_is_refused_at_once(tmp_path, monkeypatch):
    key = make_key(tmp_path, "locked", "secret")
    asked = tmp_path / "asked"
    ask = tmp_path / "ask"
    ask.write_text(f"#!/bin/sh\ntouch {asked}\necho secret\n")
    ask.chmod(0o700)
    for name, value in (("SSH_ASKPASS", ask), ("SSH_ASKPASS_REQUIRE", "force"), ("DISPLAY", ":0")):
        monkeypatch.setenv(name, str(value))
    began = time.monotonic()
    with pytest.raises(ConfigError, match="has a passphrase, which is not asked for"):
        sign(DATA, key, OBJECTIVE)
    assert time.monotonic() - began < 5
    assert not asked.exists()


@pytest.mark.slow
def test_a_program_that_never_answers(tmp_path, monkeypatch, signature, keys):
    slow = tmp_path / "ssh-keygen"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(signatures, "SECONDS", 0.2)
    found = check(DATA, signature, "alice", OBJECTIVE, NOBODY)
    assert found.kind == signatures.UNCHECKED
    assert "did not answer" in found.text
    with pytest.raises(ConfigError, match="did not answer within"):
        sign(DATA, keys["alice"], OBJECTIVE)


def test_without_ssh_keygen(tmp_path, monkeypatch, signature, keys):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = check(DATA, signature, "alice", OBJECTIVE, NOBODY)
    assert (found.kind, found.is_intact) == (signatures.UNCHECKED, False)
    assert "ssh-keygen is not installed" in found.text
    with pytest.raises(ConfigError, match="ssh-keygen is not installed"):
        sign(DATA, keys["alice"], OBJECTIVE)


@pytest.mark.parametrize("what", ["missing", "a folder", "a pipe", "no key"])
def test_what_is_no_key(what, tmp_path):
    key = tmp_path / "key"
    if what == "a folder":
        key.mkdir()
    elif what == "a pipe":
        os.mkfifo(key)
    elif what == "no key":
        key.write_text("hello\n")
        key.chmod(0o600)
    with pytest.raises(ConfigError, match=r"--key: "):
        sign(DATA, key, OBJECTIVE)


# --- whom a verifier knows -----------------------------------------------------------------------


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """Without lists of the user who runs the tests."""
    for name in (signers.SIGNERS, signers.REVOKED_KEYS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return tmp_path


def test_the_order_of_lists(alone, monkeypatch):
    a, b, c = (signers_file(alone / name) for name in "abc")
    assert find_signers() == NOBODY
    (alone / "gitconfig").write_text(f"[gpg.ssh]\nallowedSignersFile = {c}\n")
    assert find_signers().allowed == c
    monkeypatch.setenv(signers.SIGNERS, str(b))
    assert find_signers().allowed == b
    assert find_signers(a) == Signers(a, None)
    assert find_signers(a, c) == Signers(a, c)


def test_a_list_never_comes_from_what_is_verified(alone, monkeypatch):
    run = alone / "run"
    run.mkdir()
    inside = signers_file(run / "signers")
    (alone / "link").symlink_to(inside)
    for path in (inside, alone / "link", alone / "run/../run/signers"):
        with pytest.raises(ConfigError, match="must come from yourself"):
            find_signers(path, outside=run)
    subprocess.run(["git", "init", "-q", run], check=True)
    subprocess.run(
        ["git", "-C", run, "config", "gpg.ssh.allowedSignersFile", str(inside)], check=True
    )
    monkeypatch.chdir(run)
    assert find_signers(outside=run) == NOBODY
    assert find_signers() == NOBODY


def test_lists_that_are_missing_are_told_at_once(alone):
    with pytest.raises(ConfigError) as error:
        find_signers(alone / "no", alone / "nor")
    assert [line.partition(":")[0] for line in error.value.mistakes] == ["--signers", "--revoked"]


def test_a_fingerprint_is_of_the_key_alone(keys, signature):
    blob = base64.b64decode(public(keys["alice"]).split()[1])
    assert read_signature(signature) == (fingerprint(blob), OBJECTIVE)
