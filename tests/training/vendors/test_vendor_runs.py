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
        "strangers": {
            "policies.vendor_a": SEATS,
            "breakers.b": {
                "watch": "price", "high": 0.0, "points": 3, "action": "rollback", "to": 1,
                "scope": "arm", "spent": "ignore",
                "redirect": {"policies": "separate", "partners": "exchanged"},
            },
        },
        "episodes": {
            "policies.vendor_a": SEATS, "train.copies": 2, "train.episode_rounds": 70,
            "train.rounds": 3000, "train.measure_last": 700,
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


def test_separated_seats_go_on_with_partners_from_other_seeds(run):
    """Groups that know no vendor go on from the kept states, seat 1's learner being another's."""
    experiment = read_experiment(run)
    arm, apart = experiment.arms["strangers"], experiment.arms["apart"]
    kept = [read_keyframes(run.seed("strangers", k), 0)[2000] for k in range(2)]
    for state in kept:
        shared = state["q_arrays.q"].reshape(2, 4, 4, 4)
        assert np.array_equal(shared[0], shared[1].transpose(1, 0, 2))
    for k in range(2):
        trips = [
            e
            for e in ledger.read(run.ledger)
            if e["act"] == "breaker tripped" and (e["arm"], e["seed"]) == ("strangers", k)
        ]
        assert [(e["round"], e["to"], e["action"]) for e in trips] == [(3000, 2000, "rollback")]
        group = apart.group(k)
        state = {name: array.copy() for name, array in kept[k].items()}
        own, other = (group.learner_part(s, "provider_1") for s in (state, kept[1 - k]))
        for name, part in own.items():
            part[...] = other[name]
        group.branch_from(state)
        group.run(arm.train.rounds - 2000)
        for one, learned in zip(group.tables(), learned_tables(run, arm, k).values(), strict=True):
            assert np.array_equal(one, learned)


def test_seats_share_weights_in_every_copy_and_over_the_end_of_episodes(run):
    held = json.loads(run.incentives.read_text())["episodes"]["policies"]["held_by"]
    assert sorted(held.values()) == [[f"s{k}/{seat}" for seat in SEATS] for k in range(2)]
    arm = read_experiment(run).arms["episodes"]
    group, other = arm.group(0), arm.group(0)
    group.run(100)  # 30 rounds into the second episode
    q = group.state()["q_arrays.q"].reshape(2, 4, 4, 4)
    assert np.array_equal(q[0], q[1].transpose(1, 0, 2))
    other.load(group.state())
    for each in (group, other):
        each.run(arm.train.rounds - 100)
    for name, array in group.state().items():
        assert array.tobytes() == other.state()[name].tobytes(), name
    learned = [*learned_tables(run, arm, 0).values()]
    assert all(map(np.array_equal, group.tables(), learned))


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
    assert again.seeds == 10
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
