"""`tacit sign` and `tacit audit` on the command line, and where it is shown who stands behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time

import pytest
from support.audit.ssh_keys import make_key, needs_ssh, public, signers_file
from support.boards import Board
from support.terminal import Terminal, mistake_lines
from support.training_fixtures import small

from tacit.oversight import ledger
from tacit.oversight.signers import SIGNERS
from tacit.training.storage.run_folder import RunFolder

pytestmark = needs_ssh
QUICK = ("train.rounds=2000", "train.measure_last=500", "train.evaluate_every=1000",
         "record.sample_rounds=20", "market.bids=5")  # fmt: skip
CONFIG = "market: ad_auction\nkpi: {bidder: {profit: 1.0, price_change: -1.0}}\nseeds: 2\n"
WHY = ("--by", "alice", "--reason", "swings cost money")


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {name: make_key(folder, name) for name in ("alice", "mallory")}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    results = tmp_path_factory.mktemp("trained")
    small(results, *QUICK, name="mine")
    small(results, *QUICK, "kpi.bidder.price_change=-1", as_arm="calm", name="mine")
    return results / "mine"


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys, keys, trained):
    """A terminal in a folder with the run `mine`; alice is known."""
    shutil.copytree(trained, tmp_path / "results/mine")
    path = signers_file(tmp_path / "signers", f"alice {public(keys['alice'])}")
    monkeypatch.setenv(SIGNERS, str(path))
    return Terminal(tmp_path, monkeypatch, capsys)


def shown(tacit, *words):
    """Who stands behind the objectives, as `compare` says below its table."""
    lines = tacit("compare", "mine", *words).out.splitlines()
    return [line for line in lines if re.search("objective|named by|signed by", line.lower())]


def test_unvalidated_named_signed(tacit, keys):
    assert shown(tacit) == ["Unvalidated objective."]
    assert tacit("sign", "mine", *WHY).out.endswith("\nNamed by alice, not signed.\n")
    assert shown(tacit) == ["Named by alice, not signed."]
    signed = tacit("sign", "mine", "--arm", "calm", "--key", str(keys["alice"]), *WHY)
    assert "\nSigned by alice (key SHA256:" in signed.out
    assert [line.partition(" (key")[0] for line in shown(tacit)] == [
        "base: named by alice, not signed.",
        "calm: signed by alice",
    ]
    assert "calm (KPI" in (text := tacit("show", "mine").out)
    assert ", signed by alice (key SHA256:" in text
    page = Board(tacit.folder / "results/mine").text(".", "incentives")
    assert "calm: signed by alice (key SHA256:" in page
    assert "base: named by alice, not signed" in page


def test_it_is_recorded_before_it_takes_effect(tacit, keys):
    tacit("sign", "mine", "--key", str(keys["alice"]), "--owner", "bob", *WHY)
    run = RunFolder(tacit.folder / "results/mine")
    acts = ledger.read(run.ledger)
    act = next(entry for entry in acts if entry["act"] == "objective signed")
    assert (act["by"], act["reason"], act["owner"]) == ("alice", "swings cost money", "bob")
    assert set(act["arms"]) == {"base", "calm"}
    assert all((run.path / name).is_file() for name in act["files"])
    card = json.loads(run.incentives.read_text())["calm"]
    assert card["validated_by"]["by"] == "alice"
    assert card["owner"] == "bob"
    assert act["act"] == "objective signed"
    assert [e["act"] for e in acts][act["n"] :] == [
        "objective signed", "results are being written", "results sealed"]  # fmt: skip


@pytest.mark.slow
def test_resume_keeps_what_was_signed(tacit, keys):
    tacit("sign", "mine", "--key", str(keys["alice"]), *WHY)
    run = tacit.folder / "results/mine"
    before = {p: p.read_bytes() for p in run.rglob("*") if p.is_file() and "lock" not in str(p)}
    assert tacit("resume", "mine").code == 0
    after = {p: p.read_bytes() for p in run.rglob("*") if p.is_file() and "lock" not in str(p)}
    assert before == after
    (run / "incentives.json").unlink()
    assert tacit("resume", "mine").code == 0
    assert (run / "incentives.json").read_bytes() == before[run / "incentives.json"]


def test_known_ways_to_game_it_are_on_the_card_that_is_signed(tacit, keys):
    """Who signs is shown what lint finds, and cannot say later that it was not known."""
    run = tacit.folder / "results/mine"
    ways = json.loads((run / "incentives.json").read_text())["calm"]["known_ways_to_game_it"]
    assert ways == "empty: not examined: run tacit lint"
    shown = tacit("sign", "mine", "--arm", "calm", "--key", str(keys["alice"]), *WHY).out
    cards = json.loads((run / "incentives.json").read_text())
    found = cards["calm"]["known_ways_to_game_it"]
    assert f"  calm: {found[0]}\n" in shown
    assert found[0].startswith("high: stable play: the loser sets")
    assert "smallest repair: price_change of bidder from" in found[0]
    assert all(line.startswith("not examined: ") for line in found[1:])
    (document,) = (run / "signatures").glob("objective-*.json")
    assert json.loads(document.read_text())["arms"]["calm"]["known_ways_to_game_it"] == found
    assert cards["base"]["known_ways_to_game_it"] == ways  # was not signed
    page = Board(run).text(".", "incentives")
    acts = ledger.read(run / "ledger.jsonl")
    head = next(a for a in reversed(acts) if a["act"] == "results are being written")
    assert f"{head['n'] + 1} acts, the hash of the last one {head['hash']}" in page


def test_mistakes_are_told_all_at_once_and_change_nothing(tacit):
    before = (tacit.folder / "results/mine/ledger.jsonl").read_bytes()
    lines = mistake_lines(tacit("sign", "mine", "--by", "a\nb", "--reason", "\x1b[2J", "--expires",
                                "never", "--owner", "<b>"))  # fmt: skip
    assert [line.partition(":")[0] for line in lines] == [
        "--by",
        "--owner",
        "--reason",
        "--expires",
    ]
    (line,) = mistake_lines(tacit("sign", "mine", "--arm", "clam", *WHY))
    assert "unknown arm 'clam'. Did you mean 'calm'" in line
    (line,) = mistake_lines(tacit("sign", "mien", *WHY))
    assert "Did you mean 'mine'" in line
    (line,) = mistake_lines(tacit("sign", "mine", "--key", "no_key", *WHY))
    assert line.startswith("--key: no_key is no file")
    assert (tacit.folder / "results/mine/ledger.jsonl").read_bytes() == before
    assert not (tacit.folder / "results/mine/signatures").exists()


def test_hostile_reasons_are_only_text(tacit, keys):
    reason = "<script>alert(1)</script> **bold** | cell"
    tacit("sign", "mine", "--by", "alice", "--reason", reason)
    page = Board(tacit.folder / "results/mine").text(".", "incentives")
    assert "<script>" not in page


def test_an_altered_run_is_not_signed(tacit):
    (tacit.folder / "results/mine/summary.json").write_text("{}")
    (line,) = mistake_lines(tacit("sign", "mine", *WHY))
    assert "was altered since it was sealed" in line


def test_a_signature_of_somebody_else(tacit, keys):
    told = tacit("sign", "mine", "--key", str(keys["mallory"]), *WHY).out
    last = told.splitlines()[-1]
    assert last.startswith("Named by alice; the signature is intact, but by a key that you do not")
    result = tacit("audit", "verify", "mine")
    assert result.code == 1
    assert "WRONG  objective of arm base: the signature is intact, but by a key" in result.out


def test_an_expired_and_a_revoked_key(tacit, keys, monkeypatch):
    tacit("sign", "mine", "--key", str(keys["alice"]), *WHY)
    path = tacit.folder / "expired"
    signers_file(path, f'alice valid-before="20200101" {public(keys["alice"])}')
    monkeypatch.setenv(SIGNERS, str(path))
    (line,) = shown(tacit)
    assert line.startswith("Unvalidated objective (the signature of alice is by a key that is list")
    monkeypatch.setenv(SIGNERS, str(tacit.folder / "signers"))
    monkeypatch.setenv("TACIT_REVOKED", f"{keys['alice']}.pub")
    (line,) = shown(tacit)
    assert "is by a key that was revoked" in line


# --- configuration files -------------------------------------------------------------------------


@pytest.fixture
def config(tacit):
    (tacit.folder / "own.yaml").write_text(CONFIG)
    return tacit.folder / "own.yaml"


@pytest.mark.slow
def test_a_signed_file_gives_its_signature_to_the_run(tacit, config, keys):
    signed = tacit("sign", "own.yaml", "--key", str(keys["alice"]), *WHY)
    assert signed.out.splitlines()[0] == "wrote own.yaml.objective.json"
    assert signed.out.splitlines()[-1].startswith("Signed by alice (key")
    out = tacit("train", "own.yaml", *QUICK).out
    assert "Signed by alice (key SHA256:" in out
    acts = [e["act"] for e in ledger.read(tacit.folder / "results/own/ledger.jsonl")]
    assert acts.index("objective signed") < acts.index("training started")
    found = json.loads((tacit.folder / "own.yaml.objective.json").read_text())["arms"]
    cards = json.loads((tacit.folder / "results/own/incentives.json").read_text())
    for name, card in cards.items():  # what lint found when the file was signed
        assert card["known_ways_to_game_it"] == found[name]["known_ways_to_game_it"]
        assert not isinstance(card["known_ways_to_game_it"], str)
    assert tacit("audit", "verify", "own").code == 0
    tacit("train", "own.yaml", *QUICK)
    again = [e["act"] for e in ledger.read(tacit.folder / "results/own/ledger.jsonl")]
    assert again.count("objective signed") == 1


def test_another_weight_is_not_the_one_that_was_signed(tacit, config, keys):
    tacit("sign", "own.yaml", "--key", str(keys["alice"]), *WHY)
    out = tacit("train", "own.yaml", *QUICK, "kpi.bidder.price_change=-2").out
    assert "Unvalidated objective." in out


def test_a_document_beside_a_file_that_cannot_be_read(tacit, config):
    (tacit.folder / "own.yaml.objective.json").write_text("{")
    (line,) = mistake_lines(tacit("train", "own.yaml", *QUICK))
    assert "own.yaml.objective.json: cannot be read" in line


# --- audit ---------------------------------------------------------------------------------------


def test_seal_and_verify(tacit, keys):
    done = tacit("audit", "seal", "mine", "--key", str(keys["alice"]))
    assert done.code == 0
    assert done.out.startswith("sample: 80 rounds of 4 seeds\nanchor: ")
    result = tacit("audit", "verify", "mine", "--replay", "all")
    assert (result.code, result.out.splitlines()[-1]) == (0, "intact")
    (tacit.folder / "results/mine/calm/s1/sample.safetensors").unlink()
    result = tacit("audit", "verify", "mine")
    assert (result.code, result.out.splitlines()[-1]) == (1, "not intact: 1 finding")
    assert "WRONG  results/mine/calm/s1/sample.safetensors: is missing." in result.out


@pytest.mark.parametrize("words", [("--replay", "-1"), ("--replay", "some"), ("--replay", "1.5"),
                                   ("--signers", "nobody"), ("--anchor", "none.json")])  # fmt: skip
def test_bad_input_ends_with_2(words, tacit):
    (line,) = mistake_lines(tacit("audit", "verify", "mine", *words))
    assert words[1].lstrip("-") in line


def test_a_list_of_signers_within_the_run(tacit):
    inside = signers_file(tacit.folder / "results/mine/signers")
    (line,) = mistake_lines(tacit("audit", "verify", "mine", "--signers", str(inside)))
    assert "must come from yourself" in line


def test_a_run_that_is_not_finished_is_not_sealed(tacit):
    shutil.rmtree(tacit.folder / "results/mine/calm/s1")
    lines = mistake_lines(tacit("audit", "seal", "mine"))
    assert "calm/s1" in lines[0]


def test_a_locked_key_without_a_terminal_never_waits(tacit, keys):
    locked = make_key(keys["alice"].parent, "locked", "secret")
    began = time.monotonic()
    for words in (("sign", "mine", *WHY), ("audit", "seal", "mine")):
        (line,) = mistake_lines(tacit(*words, "--key", str(locked)))
        assert "has a passphrase, which is not asked for. Unlock it first: ssh-add" in line
    assert time.monotonic() - began < 10
    assert not (tacit.folder / "results/mine/signatures").exists()


@pytest.mark.slow
def test_on_a_terminal_it_asks_nothing_either(tacit, keys):
    """With a controlling terminal on which ssh-keygen could ask."""
    pty = pytest.importorskip("pty")
    locked = make_key(keys["alice"].parent, "locked", "secret")
    program = (  # what `tacit sign` asks OpenSSH, without the numerics that the command imports
        "import sys; from pathlib import Path; from tacit.oversight.signatures import sign\n"
        "try: sign(b'text', Path(sys.argv[1]), 'tacit')\n"
        "except ValueError as error: sys.exit(error)"
    )
    words = [sys.executable, "-c", program, str(locked)]
    pid, master = pty.fork()
    if pid == 0:
        os.execv(sys.executable, words)
    said = b""
    began = time.monotonic()
    while time.monotonic() - began < 60:
        try:
            part = os.read(master, 4096)
        except OSError:  # the program has ended
            break
        said += part
        if not part:
            break
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 1
    assert b"which is not asked for" in said
    assert b"Enter passphrase" not in said


def test_without_ssh_keygen_it_says_so(tacit, keys, monkeypatch):
    tacit("sign", "mine", "--key", str(keys["alice"]), *WHY)
    tacit("audit", "seal", "mine", "--key", str(keys["alice"]))
    empty = tacit.folder / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    result = tacit("audit", "verify", "mine")
    assert result.code == 0
    assert "cannot be checked: ssh-keygen is not installed" in result.out
    assert result.out.splitlines()[-1].startswith("intact, but its ledger is not signed")
    (line,) = mistake_lines(tacit("sign", "mine", "--key", str(keys["alice"]), *WHY))
    assert "ssh-keygen is not installed" in line


def test_a_reader_of_git_needs_no_key_of_tacit(tacit, keys, monkeypatch):
    """The list that git uses for commits is the one that is used here."""
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    tacit("sign", "mine", "--key", str(keys["alice"]), *WHY)
    monkeypatch.delenv(SIGNERS)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tacit.folder / "gitconfig"))
    subprocess.run(
        ["git", "config", "--global", "gpg.ssh.allowedSignersFile", str(tacit.folder / "signers")],
        check=True,
    )
    assert shown(tacit)[0].startswith("Signed by alice (key")
