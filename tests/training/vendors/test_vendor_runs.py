"""Runs in which seats share: hashes, ledger, resuming, rollback, replay, and what reads a run."""

import json

import numpy as np
import pytest
from support.training_fixtures import InterruptAfter, files_of
from typer.testing import CliRunner

from tacit.agents.vendor import own_first_tables
from tacit.oversight import ledger
from tacit.oversight.signers import NOBODY
from tacit.training.cli import app
from tacit.training.record.reproduction import reproduce_run
from tacit.training.record.verification import EVERY, verify
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import Interrupted, train, train_experiment
from tacit.training.storage.keyframes import read_keyframes
from tacit.training.storage.load_run import learned_tables, read_experiment
from tacit.training.storage.run_folder import RunFolder

SEATS = ["provider_0", "provider_1"]
CONFIG = {
    "market": {"name": "cloud_bandwidth", "prices": 4},
    "agents": {"provider": {"name": "q_learning", "epsilon_decay": 2e-4}},
    "train": {"rounds": 6000, "measure_last": 1000, "evaluate_every": 1000},
    "seeds": 2,
    "arms": {
        "apart": {},
        "weights": {"policies.vendor_a": SEATS},
        "separated": {
            "policies.vendor_a": SEATS,
            "breakers.b": {
                "watch": "price", "high": 1.0, "points": 3, "action": "rollback", "to": 1,
                "redirect": {"policies": "separate"},
            },
        },
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    results = tmp_path_factory.mktemp("vendors")
    train(CONFIG, results=results, name="run")
    return RunFolder(results / "run")


def tables(run, name, k=0):
    arm = read_experiment(run).arms[name]
    found = [*learned_tables(run, arm, k).values()]
    return own_first_tables(arm.market, read_experiment(run).arms["weights"].vendors, found)


def test_hashes_say_who_holds_one_policy(run):
    cards = json.loads(run.incentives.read_text())
    held = cards["weights"]["policies"]["held_by"]
    assert sorted(held.values()) == [[f"s{k}/{seat}" for seat in SEATS] for k in range(2)]
    assert cards["weights"]["vendors"]["vendor_a"]["share"] == ["weights"]
    assert "vendors" not in cards["apart"]
    assert all(len(seats) == 1 for seats in cards["apart"]["policies"]["held_by"].values())
    last = [e for e in ledger.read(run.ledger) if e["act"] == "training finished"][-1]
    said = last["seats_that_hold_one_policy"]
    assert said["weights"]["vendor_a"]["repetitions"] == "2 of 2"
    assert said["weights"]["vendor_a"]["held_by"] == held
    assert said["separated"]["vendor_a"] == {"repetitions": "0 of 2", "held_by": {}}
    assert "apart" not in said


def test_separated_seats_go_on_from_one_policy_each_by_itself(run):
    one, other = tables(run, "separated")
    assert not np.array_equal(one, other)
    folder = run.seed("separated", 0)
    shared = read_keyframes(folder, 0)[2000]["q_arrays.q"].reshape(2, 4, 4, 4)
    assert np.array_equal(shared[0], shared[1].transpose(1, 0, 2))
    apart = read_keyframes(folder, 1)
    q = apart[max(apart)]["q_arrays.q"].reshape(2, 4, 4, 4)
    assert not np.array_equal(q[0], q[1].transpose(1, 0, 2))


@pytest.mark.parametrize("reports", [3, 12])
def test_an_interrupted_run_ends_with_the_same_bits(run, tmp_path, reports):
    with pytest.raises(Interrupted):
        train(CONFIG, results=tmp_path, name="run", listener=InterruptAfter(reports))
    again = RunFolder(tmp_path / "run")
    train_experiment(read_experiment(again), again, NoProgress())
    assert files_of(again.path) == files_of(run.path)


def test_audit_plays_and_trains_it_again(run):
    found = verify(run, NOBODY, replay=EVERY)
    assert found.altered == []
    again = reproduce_run(run, [], NoProgress())
    assert again.seeds == 6
    assert again.differing == ()


@pytest.mark.parametrize(
    "words",
    [
        ["compare"], ["show", "--arm", "weights", "--policy", "provider_1"],
        ["deals", "--arm", "weights"], ["why", "--arm", "weights", "--worst", "1"], ["report"],
        ["best-response", "--arm", "weights"],
    ],
)  # fmt: skip
def test_commands_read_it(run, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)  # the report is written there
    command, *options = words
    found = CliRunner().invoke(
        app, [command, "run", *options, "--results", str(run.path.parent)], catch_exceptions=False
    )
    assert found.exit_code == 0, found.output


def test_an_exported_policy_is_the_seats_own(run, tmp_path):
    path = tmp_path / "provider_1.safetensors"
    words = ["export", "run", "--arm", "weights", "--seat", "provider_1", "--output", str(path)]
    found = CliRunner().invoke(app, [*words, "--results", str(run.path.parent)])
    assert found.exit_code == 0, found.output
