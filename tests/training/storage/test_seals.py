"""What a run seals, what is found wrong with it, and what is made again."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path

import pytest
from support.training_fixtures import SMALL, small

from tacit.envs.errors import ConfigError
from tacit.oversight.ledger import Ledger
from tacit.training import board
from tacit.training.config.load import load
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import train_experiment
from tacit.training.storage import atomic_files, checkpoint, seals
from tacit.training.storage.load_run import load_run, read_experiment
from tacit.training.storage.run_folder import DEFAULT_RESULTS, RunFolder
from tacit.training.storage.run_lock import writing


class Notes(NoProgress):
    def __init__(self):
        self.lines = []

    def note(self, text):
        self.lines.append(text)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    small(results, as_arm="profit")
    small(results, "kpi=calm", as_arm="calm")
    return results


@pytest.fixture
def run(finished, tmp_path):
    return RunFolder(shutil.copytree(finished / "ad_auction", tmp_path / "ad_auction"))


def resume(run, listener=None):
    return train_experiment(read_experiment(run), run, listener or NoProgress())


def wrong(run):
    with pytest.raises(ConfigError) as error:
        load_run(run.path)
    return error.value.mistakes


# --- sealed JSON ---------------------------------------------------------------------------------


def test_a_sealed_file_holds_and_every_flipped_bit_breaks_it(tmp_path):
    path = tmp_path / "a.json"
    atomic_files.write_sealed(path, {"x": 1e-5, "words": ["a", "b"], "seal": "of an earlier text"})
    text = path.read_bytes()
    assert json.loads(text)["x"] == 1e-5
    assert atomic_files.seal_holds(text)
    for place in range(len(text)):
        for bit in range(8):
            changed = bytearray(text)
            changed[place] ^= 1 << bit
            assert not atomic_files.seal_holds(bytes(changed)), (place, bit)


@pytest.mark.parametrize("text", [b"", b"{}\n", b'{\n "seal": ""\n}\n', b'{\n "a": "' + b"0" * 64])
def test_what_has_no_seal_does_not_hold(text):
    assert not atomic_files.seal_holds(text)


def test_a_record_without_a_seal_is_one_of_an_earlier_version_or_none(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    checkpoint.save(path, {}, {"seed": 3})
    record = json.loads(path.with_suffix(".json").read_text())
    del record["seal"]
    path.with_suffix(".json").write_text(json.dumps(record))
    assert checkpoint.finished(path) == record  # such versions wrote these keys, and no others
    path.with_suffix(".json").write_text(json.dumps(record | {"reals": "0" * 64}))
    assert checkpoint.finished(path) is None


# --- findings ------------------------------------------------------------------------------------


def test_a_run_is_accepted_as_it_is(run):
    assert list(load_run(run.path).arms) == ["profit", "calm"]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("summary.json", "was altered since it was sealed. RESUME writes it anew."),
        ("incentives.json", "was altered since it was sealed. RESUME writes it anew."),
        ("seals.json", "does not match the ledger; it was altered. RESUME writes it anew."),
        ("config.yaml", "was altered since it was sealed. Put it back as it was: every seed's rec"),
        ("calm/_band/controls.json", "was altered since it was sealed. RESUME writes it anew."),
        (
            "calm/s1/checkpoint.json",
            "does not match its seal; it was cut or altered. RESUME trains it again.",
        ),
        (
            "calm/s1/checkpoint.safetensors",
            "does not match its seal; it was cut or altered. RESUME trains it again.",
        ),
    ],
)
def test_an_altered_file_is_named_with_what_to_do(run, name, line):
    path = run.path / name
    path.write_bytes(path.read_bytes() + b" ")
    (found,) = wrong(run)
    line = line.replace("RESUME", f"tacit resume ad_auction --results {run.path.parent}")
    assert found.startswith(f"{path}: {line}")


def test_a_removed_file_and_a_removed_seed_are_missed(run):
    run.summary.unlink()
    shutil.rmtree(run.seed("profit", 0))
    first, second = wrong(run)
    assert first.startswith(f"{run.summary}: is missing. ")
    assert second.startswith(f"{run.checkpoint('profit', 0)}: is missing. tacit resume")


def test_an_altered_event_file_of_a_seed_is_named(run):
    (events,) = run.seed("calm", 0).glob("events*")
    events.write_bytes(events.read_bytes()[:-1])
    (found,) = wrong(run)
    assert found.startswith(f"{events}: was altered or removed since the seed ended. Move")


def test_a_record_that_was_sealed_again_is_not_the_one_that_the_run_sealed(run):
    path = run.checkpoint("calm", 1)
    record = json.loads(path.with_suffix(".json").read_text())
    record["measures"]["clearing_price"] = 0.99
    checkpoint.rewrite_record(path, record)
    (found,) = wrong(run)
    assert "is not the record that was sealed" in found
    with pytest.raises(ConfigError, match="is not the record that was sealed"):
        resume(run)


def test_a_broken_chain_a_missing_ledger_and_an_interrupted_writer_are_told(run):
    text = run.ledger.read_bytes()
    run.ledger.write_bytes(text.replace(b"training started", b"training startet", 1))
    assert "entry 2 does not follow from those before it" in wrong(run)[0]
    run.ledger.unlink()
    assert wrong(run) == [f"{run.ledger}: is missing, but this run was sealed."]
    run.ledger.write_bytes(text)
    Ledger(run.ledger).append(seals.WRITING)
    (found,) = wrong(run)
    assert found.endswith(f"Nothing that was learned is lost: {run.resume}")
    resume(run)
    load_run(run.path)


def test_results_that_another_writes_now_are_waited_for(run):
    """Nothing was interrupted then, and `tacit resume` would be refused."""
    Ledger(run.ledger).append(seals.WRITING)
    begun, over = threading.Event(), threading.Event()

    def write():
        with writing(run):
            begun.set()
            over.wait()

    writer = threading.Thread(target=write)
    writer.start()
    begun.wait()
    try:
        (found,) = wrong(run)
    finally:
        over.set()
        writer.join()
    assert found.startswith(f"{run.path}: '")
    assert f"(process {os.getpid()} on " in found
    assert found.endswith(") is writing its results now. Wait until it has ended.")
    assert "was interrupted" in wrong(run)[0]


# --- making again --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["summary.json", "incentives.json", "seals.json"])
def test_resume_writes_anew_what_is_made_of_seeds(run, name):
    before = run.summary.read_bytes()
    path = run.path / name
    path.write_bytes(b"{}" if name == "summary.json" else path.read_bytes() + b" ")
    notes = Notes()
    resume(run, notes)
    assert any(name in line and "written anew" in line for line in notes.lines)
    assert notes.lines[-1] == f"{run.path}: trained already; what was altered is written anew"
    load_run(run.path)
    assert json.loads(run.summary.read_bytes()) == json.loads(before)


def test_training_some_arms_does_not_make_the_summary_of_others_again(run):
    run.summary.write_bytes(b"{}")
    with pytest.raises(ConfigError, match=r"summary\.json: was altered"):
        small(run.path.parent, as_arm="profit")


def test_what_is_not_made_of_seeds_is_refused(run):
    run.config.write_bytes(run.config.read_bytes() + b"\n")
    with pytest.raises(ConfigError, match=r"config\.yaml: was altered"):
        resume(run)


# --- writing only what changed -------------------------------------------------------------------


def written(run):
    """When each file was written, without the locks."""
    return {p: p.stat().st_mtime_ns for p in run.path.rglob("*")
            if p.is_file() and ".locks" not in p.parts}  # fmt: skip


def test_a_run_that_is_complete_is_not_written_again(run):
    before, notes = written(run), Notes()
    resume(run, notes)
    assert written(run) == before
    assert notes.lines == [f"{run.path}: trained already; nothing to do"]


def test_another_arm_leaves_bands_and_plots_of_the_others(run):
    before = written(run)
    small(run.path.parent, "kpi.bidder.price_change=-3", as_arm="third")
    after = written(run)
    kept = [p for p in before if {"profit", "calm"} & set(p.relative_to(run.path).parts)]
    assert kept
    assert all(after[p] == before[p] for p in kept)
    assert run.band("third") / "controls.json" in after


def test_a_writer_that_is_stopped_while_it_draws_goes_on_where_it_was(finished, run, monkeypatch):
    """Two arms are drawn anew; the second is never reached."""
    monkeypatch.setattr(seals, "KEEP_EVERY", 0.0)
    for arm in ("profit", "calm"):
        (run.band(arm) / "controls.json").unlink()
    write, drawn = board.write_bands, []

    def stopped(events, folders, arm):
        drawn.append(arm.name)
        if len(drawn) == 2:
            raise ZeroDivisionError
        write(events, folders, arm)

    monkeypatch.setattr(board, "write_bands", stopped)
    with pytest.raises(ZeroDivisionError):
        resume(run)
    assert drawn == ["profit", "calm"]
    resume(run)
    assert drawn == ["profit", "calm", "calm"]
    load_run(run.path)


# --- what is kept --------------------------------------------------------------------------------


def test_a_finished_seed_of_another_configuration_is_refused_and_named(run):
    weights = run.checkpoint("profit", 0).read_bytes()
    run.config.write_text(run.config.read_text().replace("rounds: 20000", "rounds: 10000"))
    for path in (run.ledger, run.seals):  # as in a run that was never sealed
        path.unlink()
    with pytest.raises(ConfigError) as error:
        resume(run)
    first, *others = error.value.mistakes
    assert first == (
        f"{run.seed('profit', 0)}: was finished under another configuration (train.rounds 20000, "
        "here 10000), and is kept. Give profit its configuration back, or train this one in a run "
        "of its own: --name NAME."
    )
    assert len(others) == 3
    assert run.checkpoint("profit", 0).read_bytes() == weights


def test_a_stored_arm_without_a_key_that_has_a_default_since_is_the_same(run):
    experiment = load("ad_auction", SMALL, as_arm="profit")
    plain = json.loads(json.dumps(experiment.arms["profit"].plain))
    del plain["market"]["price_mix"], plain["train"]["copies"]
    assert experiment.arms["profit"].same(plain)
    plain["market"]["reserve"] = 0.5
    assert not experiment.arms["profit"].same(plain)


def test_seeds_of_different_versions_are_told(run):
    path = run.checkpoint("calm", 1)
    record = json.loads(path.with_suffix(".json").read_text())
    record["machine"]["versions"]["numba"] = "0.1"
    checkpoint.rewrite_record(path, record)
    for file in (run.ledger, run.seals):
        file.unlink()
    notes = Notes()
    resume(run, notes)
    (line,) = [line for line in notes.lines if "mixes seeds" in line]
    assert line.startswith("arm calm mixes seeds of different machines or versions: versions.numba")
    assert line.endswith("0.1 (1 seeds)")


# --- paths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parts", [("..",), ("a", ".."), ("",), ("a/b",), ("a\\b",), (".",), ("\0",)]
)
def test_a_path_of_a_run_is_made_of_plain_names(tmp_path, parts):
    with pytest.raises(ConfigError, match="leads out of the run's folder"):
        RunFolder(tmp_path / "run").inside(*parts)


def test_a_link_that_leads_out_is_refused_and_one_within_is_not(tmp_path):
    run = RunFolder(tmp_path / "run")
    (tmp_path / "run/a").mkdir(parents=True)
    os.symlink(tmp_path, tmp_path / "run/out")
    os.symlink("a", tmp_path / "run/within")
    assert run.inside("within", "s0") == tmp_path / "run/within/s0"
    with pytest.raises(ConfigError, match="leads out"):
        run.inside("out", "s0")


@pytest.mark.parametrize(
    ("results", "command"),
    [
        (DEFAULT_RESULTS, "tacit resume mine"),
        ("elsewhere", "tacit resume mine --results elsewhere"),
        ("my runs", "tacit resume mine --results 'my runs'"),
    ],
)
def test_advice_can_be_typed_as_it_stands(results, command):
    assert RunFolder(Path(results) / "mine").resume == command
