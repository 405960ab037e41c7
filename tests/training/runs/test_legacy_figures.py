"""Old names of figures and keys: a run of version 0.1.0 shows, compares and trains as it did.

The run is the fixture `before_renames/before`: it knows `repaired/tempted` and `course` for what is
now `rematched/tempted` and `training_curve`.
"""

from __future__ import annotations

import csv
import json
import shutil

import pytest
from support.paths import ROOT
from support.terminal import Terminal

from tacit.emergence.registry import PROBES
from tacit.training.outcome import probing
from tacit.training.outcome.summary import read_summary
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import train_experiment
from tacit.training.storage import checkpoint
from tacit.training.storage.legacy import (
    FIGURES,
    upgrade_controls,
    upgrade_figures,
    upgrade_record,
    upgrade_summary,
)
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.run_folder import RunFolder

BEFORE = ROOT / "tests/training/runs/before_renames/before"
STORED = json.loads((BEFORE / "summary.json").read_text(encoding="utf-8"))["arms"]


@pytest.fixture
def run(tmp_path):
    """A copy of the run, which commands may write to."""
    shutil.copytree(BEFORE, tmp_path / "results" / "before")
    return RunFolder(tmp_path / "results" / "before")


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


def present(name: str) -> str:
    """A figure's present name."""
    return name.replace("repaired/", "rematched/")


def test_the_fixture_knows_old_names_only():
    assert {name for name in STORED["tabular"]["measures"] if "repaired" in name} == {*FIGURES}
    assert "course" in STORED["partners"]
    assert "rematched" not in (BEFORE / "summary.json").read_text(encoding="utf-8")


def test_each_kind_of_file_is_read_under_present_names():
    assert upgrade_figures({"repaired/tempted": 1, "tempted": 2}) == {
        "rematched/tempted": 1, "tempted": 2
    }  # fmt: skip
    record = {"course": {"rounds": [1]}, "probes": {"repaired": {"repaired/deterred": None}}}
    assert upgrade_record(record) == {
        "training_curve": {"rounds": [1]}, "probes": {"rematched": {"rematched/deterred": None}}
    }  # fmt: skip
    controls = {"seeds": ["a"], "figures": {"repaired": [{"repaired/tempted": 0.5}]}}
    assert upgrade_controls(controls) == {
        "seeds": ["a"], "figures": {"rematched": [{"rematched/tempted": 0.5}]}
    }  # fmt: skip
    arm = {"measures": {"repaired/tempted": {"mean": 1.0}, "profit": {}}, "course": {}}
    assert upgrade_summary(arm) == {
        "measures": {"rematched/tempted": {"mean": 1.0}, "profit": {}}, "training_curve": {}
    }  # fmt: skip


def test_present_files_are_read_as_they_are():
    for upgrade in (upgrade_record, upgrade_controls, upgrade_summary):
        for stored in ({}, {"training_curve": {"rounds": []}, "measures": {"profit": {}}}):
            assert upgrade(stored) == stored


def test_a_summary_holds_the_same_numbers_under_present_names():
    found = read_summary(BEFORE / "summary.json")
    assert list(found) == list(STORED)
    for name, arm in found.items():
        old = STORED[name]["measures"]
        assert arm["measures"] == {present(figure): x for figure, x in old.items()}
        assert arm.get("training_curve") == STORED[name].get("course")
        assert "course" not in arm


def test_records_are_read_and_only_new_probes_are_measured(run):
    experiment = read_experiment(run)
    for name, arm in experiment.arms.items():
        records = [checkpoint.finished(run.checkpoint(name, k)) for k in range(arm.seeds)]
        before = [{probe: dict(own) for probe, own in r["probes"].items()} for r in records]
        probing.complete(run, arm, records, lambda: None)
        for record, known in zip(records, before, strict=True):
            # Controls are of all repetitions together, and kept beside the records.
            kept = {probe: own for probe, own in known.items() if probe in PROBES}
            assert {probe: record["probes"][probe] for probe in kept} == kept
        for k, record in enumerate(records):
            figures = probing.figures_of(record)
            for figure in FIGURES:
                if figure in STORED[name]["measures"]:
                    old = STORED[name]["measures"][figure]["per_seed"][k]
                    assert figures[present(figure)] == old
                assert figure not in figures
    assert "training_curve" in checkpoint.finished(run.checkpoint("partners", 0))


def test_show_prints_the_stored_verdicts(run, tacit):
    shown = tacit("show", "before", "--results", str(run.path.parent))
    assert (shown.code, shown.err) == (0, "")
    for name, arm in STORED.items():
        for verdict in arm["verdicts"]:
            assert f"{name}, {verdict['behaviour']}: {verdict['word']}" in shown.out
            for line in verdict["evidence"]:
                assert line in shown.out


def test_compare_prints_the_stored_numbers(run, tacit):
    words = ["compare", "before", "--measure", "tempted", "--csv", "a.csv"]
    shown = tacit(*words, "--results", str(run.path.parent))
    assert (shown.code, shown.err) == (0, "")
    with (tacit.folder / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["arm"]: row for row in csv.DictReader(file)}
    assert list(rows) == list(STORED)
    for name, arm in STORED.items():
        words = [v["word"] for v in arm["verdicts"] if not v["word"].startswith("undecided")]
        assert rows[name]["verdict"] == (", ".join(words) or "undecided")
        if "tempted" in arm["measures"]:
            stored = arm["measures"]["tempted"]
            assert float(rows[name]["mean"]) == stored["mean"]
            assert int(rows[name]["n"]) == stored["n"]


def test_a_repeated_train_writes_the_same_numbers(run):
    """The finished run is not trained again; its summary is written anew, under present names. New
    probes add figures, and words are those of the present rules."""
    train_experiment(read_experiment(run), run, NoProgress())
    text = run.summary.read_text(encoding="utf-8")
    assert "repaired" not in text
    assert '"course"' not in text
    again = json.loads(text)["arms"]
    assert list(again) == list(STORED)
    for name, arm in again.items():
        old = STORED[name]
        kept = {present(x): value for x, value in old["measures"].items() if x not in FIGURES}
        assert {figure: arm["measures"][figure] for figure in kept} == kept
        assert arm.get("training_curve") == old.get("course")
        behaviours = [verdict["behaviour"] for verdict in arm["verdicts"]]
        assert behaviours == [verdict["behaviour"] for verdict in old["verdicts"]]
