"""Runs saved before arrays got their present names: read, with their policies, and resumed.

The fixture `before_renames` was written by version 0.1.0; its README says what is in it.
"""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from support.independent.slow_neural import Net, log_policy
from support.paths import ROOT

from tacit.agents.neural.config import IdqnConfig, IppoConfig
from tacit.agents.policy import deterministic
from tacit.training.acts.gate import Gate
from tacit.training.runs import partial
from tacit.training.runs.seed_run import train_seed
from tacit.training.storage import checkpoint, legacy
from tacit.training.storage.atomic_files import write_json
from tacit.training.storage.load_run import learned_tables, load_run
from tacit.training.storage.machine import machine
from tacit.training.storage.run_folder import RunFolder

FIXTURE = ROOT / "tests/training/runs/before_renames"
BEFORE = FIXTURE / "before"
FINISHED = sorted(BEFORE.glob("*/s*/checkpoint.safetensors"))
CUT = sorted((FIXTURE / "cut").glob("*/s*/partial.safetensors"))


def label(path) -> str:
    return f"{path.parent.parent.name}-{path.parent.name}"


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FINISHED + CUT, ids=label)
def test_every_saved_array_has_its_present_name(path):
    """Those that a group of the same configuration saves; a second upgrade changes nothing."""
    saved = load_file(path)
    upgraded = legacy.upgrade_arrays(saved)
    run = load_run(path.parent.parent.parent)
    group = run.arms[path.parent.parent.name].group(0)
    group.run(checkpoint.read_record(path)["rounds"])
    names = set(upgraded) - set(partial.POINTS)
    assert names == set(group.state())
    assert len(upgraded) == len(saved)
    assert legacy.upgrade_arrays(upgraded).keys() == upgraded.keys()
    assert checkpoint.load(path)[0].keys() == upgraded.keys()


def test_names_that_the_fixture_lacks():
    """Of a mean policy, and of replay in Stable-Baselines3's DQN; any seat's learner."""
    old = ("learner.seller_3.mean", "learner.seller_3.ring", "learner.seller_3.replay.did",
           "learner.seller_3.policy.q_net.0.weight", "learner.seller_3.epsilon")  # fmt: skip
    names = legacy.upgrade_arrays(dict.fromkeys(old, np.zeros(1)))
    assert [name.removeprefix("learner.seller_3.") for name in names] == [
        "policy_sum", "replay_counters", "replay.action", "policy.q_net.0.weight", "epsilon",
    ]  # fmt: skip


def test_no_two_arrays_get_one_name():
    assert len(set(legacy.ARRAYS.values())) == len(legacy.ARRAYS)


# --- finished seeds ------------------------------------------------------------------------------


def known_policy(arrays, arm, seat) -> np.ndarray:
    """A seat's policy from the saved arrays themselves, which carry the old names."""
    config, role = arm.agents[seat.name], seat.role
    if config.name == "q_learning":
        first = sum(s.role.observations for s in arm.market.seats[: seat.index])
        actions = arrays["tables.greedy"][first : first + role.observations]
        return deterministic(role, actions.astype(np.int64))
    own = {
        name.removeprefix(f"learner.{seat.name}."): array
        for name, array in arrays.items()
        if name.startswith(f"learner.{seat.name}.")
    }
    observations = np.arange(role.observations)
    if isinstance(config, IppoConfig):
        actor = Net(role, config, own["engine.actor.parameters"], role.actions)
        return log_policy(actor(observations), role.legal).exp().detach().numpy()
    if isinstance(config, IdqnConfig):
        online = Net(role, config, own["online.parameters"], role.actions)
        return deterministic(role, online(observations).detach().numpy().argmax(axis=1))
    # Stable-Baselines3's PPO with one hidden layer; every part has one value here, so its one is on
    assert [len(part.values) for part in role.observation_parts] == [1, 1]
    hidden = np.tanh(
        own["policy.mlp_extractor.policy_net.0.weight"].sum(axis=1)
        + own["policy.mlp_extractor.policy_net.0.bias"]
    )
    logits = own["policy.action_net.weight"] @ hidden + own["policy.action_net.bias"]
    return log_policy(torch.tensor(logits[None]), role.legal).exp().numpy()


@pytest.mark.parametrize("path", FINISHED, ids=label)
def test_a_finished_seed_has_the_policies_that_it_had(path):
    run = load_run(BEFORE)
    arm, k = run.arms[path.parent.parent.name], int(path.parent.name[1:])
    tables, arrays = learned_tables(run.folder, arm, k), load_file(path)
    for seat in arm.market.seats:
        known = known_policy(arrays, arm, seat)
        np.testing.assert_allclose(tables[seat.name], known, atol=1e-6)
        if arm.agents[seat.name].name in ("q_learning", "idqn"):
            np.testing.assert_array_equal(tables[seat.name], known)


# --- cut seeds -----------------------------------------------------------------------------------


def claim_for_this_machine(path) -> bool:
    """Let a save count as one of this machine, because others are refused by design.

    Returns whether it is of such a machine: with the same processor flags and libraries.
    """
    record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    here, there = machine(), record["machine"]
    write_json(path.with_suffix(".json"), record | {"machine": here})
    libraries = [{**one["versions"], "tacit": ""} for one in (here, there)]
    return here["flags"] == there["flags"] and libraries[0] == libraries[1]


@pytest.mark.parametrize("path", CUT, ids=label)
def test_a_cut_seed_goes_on_to_where_it_would_have_ended(path, tmp_path):
    """The same arrays as without the cut and the renames: bit for bit on a machine like the one
    that wrote the fixture, elsewhere up to rounding."""
    kind = path.parent.parent.name
    shutil.copytree(FIXTURE / "cut", tmp_path / "cut")
    save = tmp_path / "cut" / kind / "s0" / partial.NAME
    is_exact = claim_for_this_machine(save)
    run = RunFolder(tmp_path / "cut")
    done = []
    record = train_seed(run, load_run(run.path).arms[kind], 0, done.append, Gate())
    assert record is not None
    assert done[0].rounds > 0  # it did not begin anew
    assert not save.exists()
    arrays, _ = checkpoint.load(run.checkpoint(kind, 0))
    known = legacy.upgrade_arrays(load_file(FIXTURE / "expected" / kind / "checkpoint.safetensors"))
    assert arrays.keys() == known.keys()
    for name, array in known.items():
        assert arrays[name].dtype == array.dtype, name
        if is_exact:
            assert arrays[name].tobytes() == array.tobytes(), name
        else:
            np.testing.assert_allclose(arrays[name], array, rtol=1e-3, atol=1e-5, err_msg=name)
