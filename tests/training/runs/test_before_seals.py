"""A run folder of a version that sealed nothing: read, gone on with, and sealed from then on."""

from __future__ import annotations

import json
import shutil

import pytest
from support.paths import ROOT

from tacit.envs.errors import ConfigError
from tacit.training.outcome.summary import read_summary
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import train_experiment
from tacit.training.storage.load_run import load_policy, load_run
from tacit.training.storage.run_folder import RunFolder

pytestmark = pytest.mark.full_mirror  # its expected measures were made with mirrors of full length
FIXTURE = ROOT / "tests/training/runs/before_seals"


@pytest.fixture
def run(tmp_path):
    return RunFolder(shutil.copytree(FIXTURE / "before", tmp_path / "results" / "before"))


def test_it_is_read_as_it_is(run):
    found = load_run(run.path)
    assert list(found.arms) == ["profit", "calm"]
    assert load_policy(found, "bidder_1", "profit", 1).shape == (1, 19)
    with pytest.raises(ConfigError, match="there is no finished checkpoint here"):
        load_policy(found, "bidder_1", "calm", 1)


def test_it_is_gone_on_with_and_sealed(run):
    stored = read_summary(run.summary)["profit"]["measures"]
    summary = train_experiment(load_run(run.path).experiment, run, NoProgress())
    for name, measure in json.loads((FIXTURE / "expected.json").read_text()).items():
        found = summary["arms"]["calm"]["measures"][name]["per_seed"]
        assert found == pytest.approx(measure["per_seed"], rel=1e-9, nan_ok=True), name
    assert summary["arms"]["profit"]["measures"].keys() >= stored.keys()
    load_run(run.path)
    run.summary.write_bytes(run.summary.read_bytes().replace(b"0.5", b"0.6", 1))
    with pytest.raises(ConfigError, match=r"summary\.json: was altered since it was sealed"):
        load_run(run.path)


def test_an_altered_array_is_found_as_ever(run):
    path = run.checkpoint("profit", 0)
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(ConfigError, match="does not match its seal"):
        load_run(run.path)
