"""Forgeries of whoever may write a run's folder: each is found, and named."""

from __future__ import annotations

import json
import os
import shutil
import time

import numpy as np
import pytest
from support.audit.forgery import change_arrays, fit_all_hashes, rebuild_ledger, rewrite_document
from support.audit.ssh_keys import make_key, needs_ssh, public, signers_file
from support.training_fixtures import small

from tacit.oversight.signatures import OBJECTIVE, sign
from tacit.oversight.signers import NOBODY, Signers
from tacit.training.config import files
from tacit.training.record.sealing import seal_run
from tacit.training.record.signing import Signing, sign_run
from tacit.training.record.verification import EVERY, verify
from tacit.training.storage.run_folder import RunFolder

pytestmark = needs_ssh
QUICK = ("train.rounds=2000", "train.measure_last=500", "train.evaluate_every=500",
         "record.sample_rounds=40")  # fmt: skip


def silent(name):
    """Hears of no progress."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {name: make_key(folder, name) for name in ("alice", "mallory")}


@pytest.fixture(scope="module")
def known(keys):
    path = keys["alice"].with_name("signers")
    return Signers(signers_file(path, f"alice {public(keys['alice'])}"))


@pytest.fixture(scope="module")
def sealed(tmp_path_factory, keys):
    """A run that alice has signed and sealed."""
    results = tmp_path_factory.mktemp("sealed")
    small(results, *QUICK, name="mine")
    run = RunFolder(results / "mine")
    sign_run(run, (), Signing("alice", "looked at it", keys["alice"], owner="alice"))
    seal_run(run, keys["alice"], "alice", silent)
    return run


@pytest.fixture
def run(sealed, tmp_path):
    """A copy that may be spoilt."""
    shutil.copytree(sealed.path, tmp_path / "mine")
    return RunFolder(tmp_path / "mine")


def wrong(run, known, replay=0, **options):
    return verify(run, known, replay, **options).altered


# --- what is whole -------------------------------------------------------------------------------


def test_a_run_that_nobody_touched(run, known):
    found = verify(run, known, EVERY)
    assert found.altered == []
    assert found.verdict == "intact"
    text = "\n".join(found.lines)
    assert "played again: 8 of 8 intervals, 4,000 rounds a copy, of 2 seeds; 2 samples" in text
    assert "objective: Signed by alice (key SHA256:" in text


def test_without_playing_it_takes_less_than_a_second(run, known):
    began = time.perf_counter()
    assert wrong(run, known) == []
    assert time.perf_counter() - began < 1.0


def test_some_intervals_are_drawn_by_the_head_of_the_ledger(run, known):
    found = [verify(run, known, 3).lines for _ in range(2)]
    assert found[0] == found[1]
    assert any("played again: 3 of 8 intervals" in line for line in found[0])


def test_without_a_list_nobody_is_known(run):
    found = verify(run, NOBODY)
    assert found.altered == []
    assert found.verdict.startswith("intact, but its ledger is not signed by a key that you list")
    assert "a key that you do not list" in "\n".join(found.lines)


def test_nothing_is_written(run, known):
    before = {p: p.read_bytes() for p in run.path.rglob("*") if p.is_file()}
    verify(run, known, EVERY)
    assert {p: p.read_bytes() for p in run.path.rglob("*") if p.is_file()} == before


def test_it_goes_on_fitting_when_the_ledger_grows(run, known, keys):
    sign_run(run, (), Signing("alice", "again", keys["alice"]))
    found = verify(run, known)
    assert found.altered == []
    assert found.verdict == "intact; 3 acts came after what was signed"


# --- forgeries -----------------------------------------------------------------------------------


def test_a_weight_of_a_keyframe_changed_by_a_millionth(run, known):
    """With every hash of the run made to fit: only the signed head, and playing, can tell."""
    path = run.seed("base", 1) / "keyframes.safetensors"

    def change(arrays):
        arrays["1000/q_arrays.q"].flat[3] += 1e-6

    change_arrays(path, change)
    fit_all_hashes(run.path)
    shutil.rmtree(run.signatures)
    rebuild_ledger(run.ledger, lambda entries: [e for e in entries if "signed" not in e])
    assert wrong(run, known) != []  # the objective's document is gone
    rebuild_ledger(run.ledger, lambda entries: [e for e in entries if "files" not in e])
    assert wrong(run, known) == []
    found = wrong(run, known, EVERY)
    assert len(found) == 2
    assert found[0] == (
        f"{path}: the state after 1,000 rounds is not what rounds 500 to 999 lead to: q_arrays.q"
    )
    assert found[1].endswith("the state after 1,500 rounds: does not follow from the altered one "
                             "before it")  # fmt: skip


def test_the_same_where_the_head_is_signed(run, known):
    def change(arrays):
        arrays["1000/q_arrays.q"].flat[3] += 1e-6

    change_arrays(run.seed("base", 1) / "keyframes.safetensors", change)
    fit_all_hashes(run.path)
    assert any("the ledger was made anew from entry" in line for line in wrong(run, known))


def test_the_end_of_training_is_played_as_well(run, known):
    path = run.checkpoint("base", 0)

    def change(arrays):
        arrays["q_arrays.q"].flat[0] += 1e-6

    change_arrays(path, change)
    fit_all_hashes(run.path)
    assert (
        f"{path}: the state after 2,000 rounds is not what rounds 1,500 to 1,999 lead to: "
        "q_arrays.q"
    ) in wrong(run, known, EVERY)


def test_a_row_edited_in_the_sealed_sample(run, known):
    path = run.seed("base", 0) / "sample.safetensors"

    def change(arrays):
        arrays["actions"][7, 0, 0, 1] += 1

    change_arrays(path, change)
    assert wrong(run, known) == [f"{path}: was altered since it was sealed."]
    fit_all_hashes(run.path)
    found = wrong(run, known, EVERY)
    assert f"{path}: actions: round 1,967" in found
    assert any("made anew from entry" in line for line in found)


def test_a_zero_with_another_sign_is_another_bit(run, known):
    path = run.seed("base", 0) / "sample.safetensors"

    def change(arrays):
        place = np.argwhere(arrays["measures"] == 0.0)[0]
        arrays["measures"][tuple(place)] = -0.0

    change_arrays(path, change)
    fit_all_hashes(run.path)
    assert any(f"{path}: measures: round" in line for line in wrong(run, known, EVERY))


@pytest.mark.parametrize("spoil", ["rows", "field", "type", "text"])
def test_a_sample_that_is_none(spoil, run, known):
    path = run.seed("base", 0) / "sample.safetensors"

    def change(arrays):
        if spoil == "rows":
            arrays["clock"] = arrays["clock"][1:]
        elif spoil == "field":
            del arrays["actions"]
        else:
            arrays["actions"] = arrays["actions"].astype(np.int64)

    if spoil == "text":
        path.write_bytes(b"hello")
    else:
        change_arrays(path, change)
    fit_all_hashes(run.path)
    assert any(str(path) in line for line in wrong(run, known, EVERY))


def test_an_act_removed_and_the_chain_made_anew(run, known):
    rebuild_ledger(run.ledger, lambda entries: entries[:2] + entries[3:])
    assert any(
        "made anew from entry 2 on: it was 'training started'" in line for line in wrong(run, known)
    )


def test_the_last_five_acts_dropped(run, known):
    rebuild_ledger(run.ledger, lambda entries: entries[:-5])
    (found,) = [line for line in wrong(run, known) if "dropped" in line]
    assert "5 acts dropped from the end of the ledger" in found
    assert "'run sealed'" in found


def test_all_that_tells_of_the_head_removed_is_found_by_a_copy_kept_elsewhere(run, known, tmp_path):
    """In the folder alone nothing is left to tell; so `audit seal` advises to keep a copy."""
    kept = tmp_path / "kept"
    shutil.copytree(run.signatures, kept)
    for file in run.signatures.glob("ledger-*"):
        file.unlink()
    rebuild_ledger(run.ledger, lambda entries: entries[:-1])
    assert wrong(run, known) == []
    (anchor,) = kept.glob("ledger-*.json")
    assert any("1 act dropped" in line for line in wrong(run, known, anchor=anchor))


def test_an_anchor_removed(run, known):
    for file in run.signatures.glob("ledger-*"):
        file.unlink()
    assert any("is missing; the ledger says that it was made" in x for x in wrong(run, known))


def test_a_signature_of_an_anchor_removed(run, known):
    (file,) = run.signatures.glob("ledger-*.sig")
    file.unlink()
    assert any("its signature is missing" in line for line in wrong(run, known))


def test_a_run_sealed_by_a_key_that_is_not_listed(run, known, keys):
    seal_run(run, keys["mallory"], "alice", silent)
    found = wrong(run, known)
    assert any("intact, but by a key that you do not list" in line for line in found)
    both = signers_file(run.path.parent / "both", *(f"{n} {public(k)}" for n, k in keys.items()))
    assert any("is by the key of mallory, not of alice" in x for x in wrong(run, Signers(both)))


def test_an_objective_signed_by_a_key_that_is_not_listed(run, known, keys):
    sign_run(run, (), Signing("alice", "let me", keys["mallory"]))
    (found,) = wrong(run, known)
    assert found.startswith("objective of arm base: the signature is intact, but by a key that you")


def test_a_weight_changed_in_the_signed_card(run, known):
    (path,) = run.signatures.glob("objective-*.json")

    def change(document):
        seat = document["arms"]["base"]["seats"]["bidder_0"]
        seat["terms"]["profit"]["weight"] = 2.0

    rewrite_document(path, change)
    assert any("was altered or removed since it was recorded" in x for x in wrong(run, known))
    fit_all_hashes(run.path)
    found = wrong(run, known)
    assert any("does not fit its own KPI hash" in line for line in found)


def test_a_weight_changed_in_the_run_after_signing(run, known):
    """config.yaml and every hash made to fit: the signature is about another KPI."""
    config = files.read_yaml(run.config)
    config["arms"]["base"]["kpi"]["bidder_0"]["profit"]["weight"] = 2.0
    run.write_config(config)
    fit_all_hashes(run.path)
    found = wrong(run, known)
    assert any(
        "the KPI was changed after alice validated it: bidder_0.profit.weight 1.0, now 2.0" in line
        for line in found
    )
    assert any("is about another KPI than config.yaml" in line for line in found)


def test_a_card_whose_hash_does_not_match(run, known):
    cards = json.loads(run.incentives.read_text())
    cards["base"]["kpi_hash"] = "0" * 64
    run.incentives.write_text(json.dumps(cards))
    fit_all_hashes(run.path)
    assert any("does not fit its own KPI hash" in line for line in wrong(run, known))


def test_a_signature_made_for_git(run, known, keys):
    (path,) = run.signatures.glob("objective-*.json")
    path.with_name(path.name + ".sig").write_bytes(sign(path.read_bytes(), keys["alice"], "git"))
    fit_all_hashes(run.path)
    assert any(f"was made for 'git', not for '{OBJECTIVE}'" in line for line in wrong(run, known))


def test_a_signature_of_an_objective_removed(run, known):
    (path,) = run.signatures.glob("objective-*.sig")
    path.unlink()
    assert any("was altered or removed since it was recorded" in x for x in wrong(run, known))


def test_a_document_that_no_act_records_counts_for_nothing(run, known):
    (path,) = run.signatures.glob("objective-*.json")
    for end in ("", ".sig"):
        shutil.copy(f"{path}{end}", f"{run.signatures / 'objective-99.json'}{end}")
    rebuild_ledger(run.ledger, lambda entries: [e for e in entries if "files" not in e])
    lines = verify(run, known).lines
    assert "objective: Unvalidated objective." in lines


# --- other runs, other machines, hostile folders -------------------------------------------------


@pytest.fixture(scope="module")
def other(tmp_path_factory, keys):
    """Another run of another seed, sealed with the same key."""
    results = tmp_path_factory.mktemp("other")
    small(results, *QUICK, "seed=7", name="mine")
    run = RunFolder(results / "mine")
    seal_run(run, keys["alice"], "alice", silent)
    return run


def test_the_ledger_of_another_run(run, other, known):
    shutil.copy(other.ledger, run.ledger)
    assert any("seals.json: does not match the ledger" in line for line in wrong(run, known))


def test_the_keyframes_of_another_run(run, other, known):
    for k in (0, 1):
        name = "keyframes.safetensors"
        shutil.copy(other.seed("base", k) / name, run.seed("base", k) / name)
    assert any("was altered or removed since the seed ended" in x for x in wrong(run, known))
    fit_all_hashes(run.path)
    found = wrong(run, known, EVERY)
    assert any("the state after 500 rounds is not what rounds 0 to 499 lead to" in x for x in found)


def test_on_another_type_of_machine_it_says_what_it_could_not_play(run, known, monkeypatch):
    from tacit.training.record import played_again

    here = played_again.machine() | {"processor": "another"}
    monkeypatch.setattr(played_again, "machine", lambda: here)
    found = verify(run, known, EVERY)
    assert found.altered == []
    assert any("8 of 8 intervals" in line for line in found.lines)  # the bits are the same

    def change(arrays):
        arrays["1000/q_arrays.q"].flat[3] += 1e-6

    change_arrays(run.seed("base", 1) / "keyframes.safetensors", change)
    fit_all_hashes(run.path)
    found = verify(run, known, EVERY)
    assert not any("the state after" in line for line in found.altered)
    (line,) = [line for line in found.lines if line.startswith("only compared with seals")]
    assert "base/s1" in line
    assert "another type of machine (processor)" in line


@pytest.mark.parametrize(
    "name", ["../../outside.json", "/etc/passwd", "a/../../x", "signatures//x"]
)
def test_paths_that_lead_out_of_the_folder(name, run, known):
    def change(entries):
        for entry in entries:
            if "files" in entry:
                entry["files"] = {name: "0" * 64}
            if "samples" in entry:
                entry["samples"] = {name: "0" * 64}
        return entries

    rebuild_ledger(run.ledger, change)
    found = wrong(run, known)
    assert any("leads out of the run's folder" in line or "names no document" in line
               for line in found)  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"arms": ["base"]}, {"arms": {"base": 3}}, {"files": 3}, {"files": {}}, {"files": {"x": 1}},
        {"files": {"signatures/objective-5.json": None}}, {"by": ["alice"]}, {"act": 7},
        {"by": "<script>\x1b[2J\n"}, {"samples": [1]}, {"samples": {"x": {}}}, {"n": "x"},
    ],
)  # fmt: skip
def test_acts_of_any_form_are_read_without_a_crash(change, run, known):
    rebuild_ledger(run.ledger, lambda entries: [
        {**e, **{k: v for k, v in change.items() if k in e}} for e in entries
    ])  # fmt: skip
    verify(run, known)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"acts": 3}', "[" * 100_000])
def test_documents_of_any_form_are_read_without_a_crash(text, run, known):
    for path in run.signatures.glob("*.json"):
        path.write_text(text)
    assert wrong(run, known)
    fit_all_hashes(run.path)
    assert wrong(run, known)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
@pytest.mark.parametrize("end", ["objective-*.json", "objective-*.sig", "ledger-*.json"])
def test_files_that_are_none_are_named_and_not_followed(kind, end, run, known, tmp_path):
    (path,) = run.signatures.glob(end)
    outside = tmp_path / "outside"
    path.rename(outside)
    if kind == "link":
        path.symlink_to(outside)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    assert any(path.name in line for line in wrong(run, known))


def test_a_run_made_before_all_this(tmp_path, known):
    small(tmp_path, *QUICK, name="mine")
    run = RunFolder(tmp_path / "mine")
    run.ledger.unlink()
    run.seals.unlink()
    found = verify(run, known, EVERY)
    assert found.altered == []
    text = "\n".join(found.lines)
    for part in ("ledger: none", "seals: none", "anchor: none", "sample: none",
                 "played again: 8 of 8"):  # fmt: skip
        assert part in text
    assert found.verdict.startswith("intact, but its ledger is not signed")


def test_a_sample_of_many_copies_is_short(tmp_path):
    """A million bytes a repetition hold fewer rounds of many copies, but at least one."""
    from support.training_fixtures import small

    from tacit.training.record import SeedReplay, samples
    from tacit.training.storage.load_run import load_run

    settings = ("train.rounds=600", "train.measure_last=100", "seeds=1", "train.copies=64")
    small(tmp_path, *settings)
    run = load_run("ad_auction", tmp_path)
    replay = SeedReplay(run.folder, run.arms["base"], 0)
    sample = samples.last_rounds(replay, 200)
    size = sum(array.nbytes for array in sample.values())
    assert 0.5 * samples.MOST_BYTES < size <= samples.MOST_BYTES
    assert sample["clock"][-1, 0] == 599
