"""A run comes back into Python: arms, repetitions, policies, measures, verdicts."""

from __future__ import annotations

import json

import numpy as np
import pettingzoo
import pytest

import tacit
from tacit.envs.errors import ByName, ConfigError

FEW = ["train.rounds=3000", "train.measure_last=1000", "seeds=2", "market.observe=price"]
AGENTS = "agents.bidder_1={name: ippo, hidden: [8]}"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("loaded")
    tacit.train("ad_auction", FEW, name="pair", as_arm="alone", results=folder)
    tacit.train("ad_auction", [*FEW, AGENTS], name="pair", as_arm="net", results=folder)
    return folder


@pytest.fixture(scope="module")
def run(results):
    return tacit.load_run("pair", results=results)


def test_what_is_in_a_run_has_names(run, results):
    assert list(run.arms) == ["alone", "net"]
    assert repr(run) == f"TrainedRun({results / 'pair'}: alone, net)"
    arm = run.arms["net"]
    assert repr(arm) == "TrainedArm(net: ad_auction, 2 repetitions)"
    assert len(arm.repetitions) == arm.seeds == 2
    assert [r.k for r in arm.repetitions] == [0, 1]
    assert arm.repetitions[-1].seed == arm.seed + 1
    assert [r.k for r in arm.repetitions[1:]] == [1]
    assert set(arm.policies(1)) == {"bidder_0", "bidder_1"}


def test_measures_and_verdicts_are_those_of_the_summary(run):
    for name, arm in run.arms.items():
        found = run.summary["arms"][name]
        for measure, plain in found["measures"].items():
            own = arm.measures[measure]
            assert (own.mean, own.n, list(own.per_seed)) == (
                plain["mean"], plain["n"], plain["per_seed"],
            )  # fmt: skip
            if measure.startswith("rematched/"):
                continue  # of several repetitions at once: no repetition has it by itself
            for k, value in enumerate(plain["per_seed"]):
                assert arm.repetitions[k].measures.get(measure) == value
        assert {v.behaviour: v.word for v in arm.verdicts.values()} == {
            v["behaviour"]: v["word"] for v in found["verdicts"]
        }
        assert arm.verdicts["collusion"].word == "undecided at n = 2"


@pytest.mark.parametrize("arm", ["alone", "net"])
def test_policies_play_in_an_environment_as_they_were_learned(run, arm):
    repetition = run.arms[arm].repetitions[1]
    policies, tables = repetition.policies, repetition.population.tables
    env = pettingzoo.make(
        "parallel", "tacit/ad_auction-v0", market={"observe": "price"}, episode_rounds=20
    )
    observations, _ = env.reset(seed=0)
    while env.agents:
        actions = {seat: policies[seat].act(o) for seat, o in observations.items()}
        for seat, action in actions.items():
            assert policies[seat].probabilities(observations[seat])[action] > 0
        observations, *_ = env.step(actions)
    for k, policy in enumerate(policies.values()):
        np.testing.assert_array_equal(policy.table(), tables[k])
    table = tacit.load_policy(run, "bidder_0", arm, seed=1)
    np.testing.assert_array_equal(table, policies["bidder_0"].table())
    seat = tacit.evaluate(policies, repetition.market, rounds=100, seeds=2)
    assert seat["clearing_price"].n == 2


def test_a_wrong_name_is_told_with_the_nearest(run, results):
    arm = run.arms["alone"]
    cases = [
        (lambda: run.arms["alon"], "arm: unknown 'alon'. Did you mean 'alone'?"),
        (lambda: arm.policies()["bider_0"], "seat: unknown 'bider_0'. Did you mean 'bidder_0'?"),
        (lambda: arm.repetitions[2], "seed: 2 is not one of 0 .. 1 of arm alone."),
        (lambda: arm.measures["clearing"], "measure: unknown 'clearing'. Did you mean 'clearing_"),
        (lambda: arm.measures["price"], "measure: unknown 'price'. One of: clearing_price, "),
        (lambda: arm.verdicts["colusion"], "behaviour: unknown 'colusion'. Did you mean"),
        (lambda: tacit.load_run("pare", results), "RUN: there is no run 'pare'"),
        (lambda: tacit.load_policy(run, "bidder_0", "nett"), "arm: unknown 'nett'. Did you"),
        (lambda: tacit.load_policy(run, "bidder_0", seed=-1), "seed: -1 is not one of 0 .. 1"),
    ]
    for ask, told in cases:
        with pytest.raises(ConfigError) as error:
            ask()
        (line,) = error.value.mistakes
        assert line.startswith(told)
        assert str(error.value) == line
    with pytest.raises(ConfigError) as error:
        tacit.load_policy(run, "bider", seed=7)
    assert len(error.value.mistakes) == 2
    assert arm.measures.get("nothing") is None


def test_a_name_that_is_like_no_other_is_told_a_few():
    with pytest.raises(KeyError) as error:
        ByName("measure", dict.fromkeys(map(str, range(50)), 0))["x"]
    assert str(error.value).endswith("8, 9, 10, 11, ... (50 in all).")


def test_what_is_not_finished_says_so(results, tmp_path):
    source = results / "pair"
    half = tmp_path / "half"
    half.mkdir()
    (half / "config.yaml").write_bytes((source / "config.yaml").read_bytes())
    run = tacit.load_run(half)
    arm = run.arms["alone"]
    assert repr(arm).endswith("not finished)")
    assert not arm.repetitions[0].is_finished
    for ask in (
        lambda: arm.measures, lambda: arm.verdicts, lambda: arm.repetitions[0].policies,
        lambda: arm.repetitions[0].measures,
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=f"Go on: tacit resume half --results {tmp_path}"):
            ask()


def test_a_run_of_another_version_that_does_not_fit_says_which(results, tmp_path, monkeypatch):
    run = tacit.load_run("pair", results=results)
    repetition = run.arms["alone"].repetitions[0]
    monkeypatch.setattr(
        "tacit.training.outcome.trained_run.machine", lambda: {"versions": {"tacit": "9"}}
    )

    def refuse(*_):
        raise ConfigError("does not fit its configuration.")

    monkeypatch.setattr("tacit.training.outcome.trained_run.learned_population", refuse)
    with pytest.raises(ConfigError, match=r"was trained by tacit [\d.]+; this is 9\."):
        repetition.population  # noqa: B018


def test_a_run_of_a_market_that_is_not_known_here_says_so(results, tmp_path):
    source, other = results / "pair", tmp_path / "other"
    other.mkdir()
    text = (source / "config.yaml").read_text().replace("name: ad_auction", "name: lemonade")
    (other / "config.yaml").write_text(text)
    with pytest.raises(ConfigError, match="unknown market 'lemonade'"):
        tacit.load_run(other)
    assert json.loads((source / "summary.json").read_text())["arms"]
