"""Arms that begin where another ends: what they take over, their order, what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.groups import copied, everybody, group
from support.training_fixtures import EVERY_POINT, SMALL, small

from tacit.agents.group import make_group
from tacit.agents.neural.config import IppoConfig
from tacit.agents.tabular.arrays import PENDING_ROUND
from tacit.agents.tabular.config import QLearningConfig as Q
from tacit.envs import kpi
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market
from tacit.training.config.load import load
from tacit.training.runs.warm_start import ancestors, check_known_starts
from tacit.training.storage.load_run import learned_group
from tacit.training.storage.run_folder import RunFolder

FILE = {
    "question": "what follows?",
    "market": {"name": "ad_auction", "bids": 4},
    "agents": {"bidder": {"name": "q_learning", "epsilon": 0.5, "epsilon_decay": 0.001}},
    "arms": {
        "after": {"train.starts_from": "before", "kpi.bidder.price_change": -1},
        "before": {},
        "last": {"train.starts_from": "after"},
    },
}


def test_knowledge_and_market_go_on_and_the_clock_begins_anew():
    first = group(agents=everybody(Q(epsilon=0.3)))
    first.run(500)
    then = group(agents=everybody(Q(epsilon=0.3)), table={"bidder": {"profit": 1, "win": 0.1}})
    then.warm_start_from(first.state())
    ours, theirs = then.seed_state.q_arrays, first.seed_state.q_arrays
    assert np.array_equal(ours.q, theirs.q)
    assert np.array_equal(then.rows.state, first.rows.state)
    assert then.rounds == 0
    ages = theirs.pending[:, :, PENDING_ROUND] - first.rounds
    assert np.array_equal(ours.pending[:, :, PENDING_ROUND], ages)
    assert then.run(10) == 10
    assert then.rounds == 10
    assert np.isfinite(then.read()[1]).all()


def test_without_a_change_it_is_the_same_training_under_a_constant_exploration():
    """Nothing depends on t then: two arms of 300 rounds are one of 600, bit for bit."""
    config = everybody(Q(exploration="constant", epsilon=0.2))
    whole, first, second = (group(agents=config) for _ in range(3))
    whole.run(600)
    first.run(300)
    second.warm_start_from(first.state())
    second.run(300)
    ours, theirs = copied(second), copied(whole)
    for name in ("q_arrays.q", "rows.state", "q_arrays.greedy"):
        assert np.array_equal(ours[name], theirs[name]), name


def test_another_market_does_not_fit():
    with pytest.raises(ValueError, match="does not fit"):
        group({"bids": 4}).warm_start_from(group({"bids": 5}).state())


def test_a_state_within_a_batch_is_refused():
    """Its samples would be learned from twice, and the buffer would run over."""
    market = make_market("ad_auction", {"bids": 4})
    configs = {seat.name: IppoConfig(rounds_per_update=8) for seat in market.seats}
    first, then = (make_group(market, kpi.resolve(market, None), configs, seed=0) for _ in range(2))
    first.run(12)
    with pytest.raises(ValueError, match="between two batches"):
        then.warm_start_from(first.state())
    first.run(4)
    then.warm_start_from(first.state())
    assert then.run(8) == 8


def test_no_arm_is_trained_before_the_one_that_it_starts_from(tmp_path):
    summary = small(tmp_path, config=FILE, name="warm_starts")
    assert list(summary["arms"]) == ["after", "before", "last"]
    run = RunFolder(tmp_path / "warm_starts")
    assert ancestors("last", load(FILE).arms) == ["after", "before"]
    arms = load(FILE, SMALL).arms
    ends = {name: learned_group(run, arm, 1).state() for name, arm in arms.items()}
    redone = arms["after"].group(1)
    redone.warm_start_from(learned_group(run, arms["before"], 1).state())
    redone.run(20_000)
    q = "q_arrays.q"
    assert np.array_equal(redone.state()[q], ends["after"][q])
    assert not np.array_equal(ends["last"][q], ends["after"][q])


def test_a_finished_arm_in_the_folder_is_enough_and_a_missing_one_is_reported(tmp_path):
    with pytest.raises(ConfigError, match="2 of 2 seeds of arm before are not finished") as error:
        small(tmp_path, config=FILE, name="one", arms=["after"])
    assert "--arm before --arm after" in str(error.value)
    small(tmp_path, config=FILE, name="one", arms=["before"])
    summary = small(tmp_path, config=FILE, name="one", arms=["after"])
    assert set(summary["arms"]) == {"before", "after"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train.starts_from": "befor"}, "unknown arm 'befor'. Did you mean 'before'?"),
        ({"train.starts_from": "after"}, "arm after would start from itself"),
        ({"train.starts_from": "before", "market.bids": 5}, "arm before is in another market"),
        ({"train.starts_from": "before", "seeds": 3}, "has seeds 0 .. 1, but seeds 0 .. 2"),
        ({"train.starts_from": "before", "agents.bidder": "ippo"}, "needs tabular or scripted"),
        ({"train.starts_from": "before", "agents.bidder": "sb3"}, "needs tabular or scripted"),
        ({"train.starts_from": "before", "train.copies": 2}, "has train.copies 1, not 2"),
    ],
)
def test_what_does_not_follow_is_refused(tmp_path, changes, message):
    arms = {"before": {"seeds": 2}, "after": {"seeds": 2, **changes}}
    rounds = {"train": {"rounds": 1000, "measure_last": 500}}
    from tacit.training.runs.runner import train

    with pytest.raises(ConfigError) as error:
        train({**FILE, **rounds, "arms": arms}, results=tmp_path)
    assert message in str(error.value)


def test_an_arm_that_starts_from_none_is_refused_before_it_is_shown(tmp_path):
    arms = {"before": {}, "after": {"train.starts_from": "befor"}}
    experiment = load({**FILE, "arms": arms}, [], [], None)
    with pytest.raises(ConfigError, match="unknown arm 'befor'"):
        check_known_starts(experiment, RunFolder(tmp_path))
    check_known_starts(load(FILE, [], ["after"], None), RunFolder(tmp_path))


def test_weights_are_followed_along_training(tmp_path):
    values = {"kind": "list", "values": [0.5, 1.0]}
    config = {**FILE, "market": {"name": "ad_auction", "bids": 4, "bidders": 3, "value": values}}
    small(tmp_path, EVERY_POINT, config={**config, "arms": {}}, name="three")
    arm = json.loads((tmp_path / "three" / "summary.json").read_text())
    points = arm["training_curve"]["figures"]["weight/bidder_0/bidder_1"]
    assert len(points) == len(arm["training_curve"]["rounds"]) == 24
    last = arm["measures"]["weight/bidder_0/bidder_1"]
    assert points[-1]["mean"] == last["mean"]
    assert [v["behaviour"] for v in arm["verdicts"]] == ["collusion", "KPI", "coalition"]
