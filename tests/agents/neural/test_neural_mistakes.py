"""What learners with networks refuse, and how they say so."""

from __future__ import annotations

import numpy as np
import pytest
from support.neural import CLOCK, idqn, ippo, random_samples, tender, terms
from support.terminal import Terminal, mistake_lines
from support.toy_markets.solvable import Solvable
from support.training_fixtures import arm, mistakes

from tacit.agents.batch.learner import Diverged
from tacit.agents.group import make_group
from tacit.agents.neural.config import IdqnConfig, IppoConfig
from tacit.agents.registry import make_config
from tacit.envs import kpi
from tacit.envs.errors import ConfigError
from tacit.training.runs import partial
from tacit.training.storage import checkpoint

BUYER = tender().seat("buyer_0")
NINE = [f"kpi.bidder.t{k}={{measure: win, weight: 1}}" for k in range(8)]  # and profit


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"clipp": 0.1}, "agents.b.clipp: unknown key. Did you mean 'clip'?"),
        ({"batch": 9}, "agents.b.batch: unknown key."),
        ({"hidden": [64, 0]}, "agents.b.hidden.1: must be greater than or equal to 1, got 0."),
        ({"discount": 1}, "agents.b.discount: must be less than 1, got 1."),
        ({"learning_rate": 0}, "agents.b.learning_rate: must be greater than 0, got 0."),
        ({"learning_rate": float("inf")}, "agents.b.learning_rate: must be a finite number"),
        ({"minibatches": 65}, "agents.b.minibatches: must be less than or equal to 64, got 65."),
        ({"engine": "jax"}, "agents.b.engine: must be 'compiled' or 'torch', got 'jax'."),
        ({"encoding": "bits"}, "agents.b.encoding: must be 'digits' or 'observation', got 'bits'."),
        ({"average_from": 1}, "agents.b.average_from: must be less than 1, got 1."),
        ({"adam_betas": [0.9]}, "agents.b.adam_betas"),
    ],
)
def test_a_mistake_in_ippo_is_reported_with_its_key(keys, message):
    with pytest.raises(ConfigError) as error:
        make_config({"name": "ippo", **keys}, "agents.b")
    assert error.value.mistakes[0].startswith(message)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"epsilon": 0.1, "epsilon_min": 0.2},
            "epsilon_min: must be at most epsilon (0.1), got 0.2.",
        ),
        ({"replay": 10}, "batch: must be at most replay (10), got 256."),
        ({"clip": 0.1}, "agents.b.clip: unknown key."),
        ({"sampling": "last"}, "agents.b.sampling: must be 'uniform' or 'latest', got 'last'."),
    ],
)
def test_a_mistake_in_idqn_is_reported_with_its_key(keys, message):
    with pytest.raises(ConfigError) as error:
        make_config({"name": "idqn", **keys}, "agents.b")
    assert message in error.value.mistakes[0]
    assert error.value.mistakes[0].startswith("agents.b")


def test_networks_of_a_run_share_their_clock():
    found = mistakes("agents.bidder_0=ippo", "agents.bidder_1=idqn",
                    "agents.bidder_1.rounds_per_update=64", "agents.bidder_0.clipp=1")  # fmt: skip
    assert "agents.bidder_0.clipp: unknown key. Did you mean 'clip'?" in found
    [line] = mistakes("agents.bidder_0=ippo", "agents.bidder_1={name: idqn, rounds_per_update: 64}")
    assert line == (
        "agents: rounds_per_update must be the same for all networks: bidder_0 128, bidder_1 64."
    )
    for configs in ({"player_0": IppoConfig(), "player_1": IdqnConfig(rounds_per_update=1)},):
        with pytest.raises(ConfigError, match="the same for all networks: player_0 128, player_1"):
            make_group(Solvable(), kpi.resolve(Solvable(), None), configs, 0)


def test_an_annealed_rate_needs_the_length_of_training():
    configs = {"player_0": IppoConfig(entropy_end=0.0), "player_1": IppoConfig(average_from=0.5)}
    message = r"agents\.player_0\.entropy_end, agents\.player_1\.average_from falls over training"
    with pytest.raises(ConfigError, match=message):
        make_group(Solvable(), kpi.resolve(Solvable(), None), configs, 0)


def test_more_terms_than_heads_are_reported_before_training():
    """One line a seat, with the other mistakes; ippo takes eight, and idqn takes nine."""
    said = mistakes("agents.bidder=ippo", *NINE, "train.rounds=100", "train.measure_last=1")
    assert [line.partition(":")[0] for line in said] == ["kpi.bidder_0", "kpi.bidder_1",
                                                         "train.rounds"]  # fmt: skip
    assert said[0].startswith("kpi.bidder_0: 9 terms; ippo has a value head for each, and at most")
    assert len(arm("agents.bidder=ippo", *NINE[1:]).kpi["bidder_0"]) == 8
    assert arm("agents.bidder=idqn", *NINE).agents["bidder_0"] == IdqnConfig()
    ippo(BUYER, terms(*range(8)))
    with pytest.raises(ConfigError, match=r"kpi\.buyer_0: 9 terms"):
        ippo(BUYER, terms(*range(9)))


def test_a_run_shorter_than_a_batch_is_refused():
    short = ["train.rounds=127", "train.measure_last=10"]
    [line] = mistakes("agents.bidder_0=ippo", *short)
    assert line == (
        "train.rounds: must be at least the agents' rounds_per_update (128), got 127: nothing "
        "would be learned."
    )
    assert arm("agents.bidder_0=ippo", "train.rounds=128", "train.measure_last=10")
    assert arm(*short)  # tabular learners learn every round


# --- losses that explode --------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["compiled", "torch"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("make", [ippo, idqn])
def test_a_loss_that_explodes_names_seat_seed_and_update(make, activation, engine, luck):
    learner = make(BUYER, seed=7, learning_rate=1e30, activation=activation, engine=engine)
    with pytest.raises(Diverged) as error:
        learner.learn(random_samples(BUYER, luck), CLOCK)
    assert error.value.mistakes == [
        "agents.buyer_0: the loss of seed 7 is no finite number in update 1; try a smaller "
        "learning_rate than 1e+30."
    ]


def test_also_with_a_single_step_before_its_policy_plays(luck):
    """The loss of that step was still finite; what it made of the weights is not."""
    learner = ippo(BUYER, learning_rate=1e30, epochs=1, minibatches=1)
    with pytest.raises(Diverged):
        learner.learn(random_samples(BUYER, luck), CLOCK)


def test_a_reward_that_is_no_number_is_reported(luck):
    for learner in (ippo(BUYER), idqn(BUYER)):
        samples = random_samples(BUYER, luck)
        samples.reward[0, 0, 0] = np.nan
        samples.counts[0] = 5
        with pytest.raises(Diverged, match=r"agents\.buyer_0: the loss of seed 0"):
            learner.learn(samples, CLOCK)


MILD = (  # (the mix of `test_partial`, whose loops serve here as well)
    "agents.bidder_0=ippo", "agents.bidder_0.rounds_per_update=16", "agents.bidder_0.hidden=[8]",
    "train.evaluate_every=16", "train.copies=4", "train.rounds=160", "train.measure_last=16",
    "seeds=1", "seed=3", "--name", "run", "--json",
)  # fmt: skip
WILD = ("agents.bidder_0.learning_rate_end=1.0e+30", "--as", "wild")


@pytest.mark.slow
def test_on_the_command_line_nothing_is_lost(tmp_path, monkeypatch, capsys):
    """Exit code 2, one line; earlier results are kept, and the last good save of the seed."""
    monkeypatch.setattr(partial, "EVERY", 0.0)
    tacit = Terminal(tmp_path, monkeypatch, capsys)
    assert tacit("train", "ad_auction", *MILD).code == 0
    before = (tmp_path / "results/run/summary.json").read_bytes()
    said = tacit("train", "ad_auction", *MILD, *WILD)
    assert mistake_lines(said) == [
        "agents.bidder_0: the loss of seed 3 is no finite number in update 2; try a smaller "
        "learning_rate than 0.001."
    ]
    assert (tmp_path / "results/run/summary.json").read_bytes() == before
    arrays, record = checkpoint.load(tmp_path / "results/run/wild/s0" / partial.NAME)
    assert record["rounds"] == 16
    assert all(np.isfinite(array).all() for array in arrays.values())
