"""What a run writes: its folder, its summary, its arms; and what may not change them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.training_fixtures import files_of, small, weights, write

from tacit.agents.tabular.group import TabularGroup
from tacit.emergence.registry import CONTROLS, PROBES
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.training.config import files
from tacit.training.runs.runner import train
from tacit.training.storage.load_run import learned_tables, read_experiment
from tacit.training.storage.run_folder import RunFolder

KEYS = ["experiment", "market", "kpi_hash", "seeds", "agent_steps", "agent_steps_per_second",
        "machine", "measures", "verdicts"]  # fmt: skip
OWN = ["profit", "win", "spend", "bid", "shading", "price_change", "clearing_price"]
CYCLES = {"cycle_1_share", "cycle_2_share", "cycle_3plus_share"}


def measures_of(summary):
    """A summary without what may differ from run to run: times and rates."""
    arms = summary.get("arms", {"base": summary})
    return {name: arm["measures"] for name, arm in arms.items()}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    small(folder)
    return folder


@pytest.fixture(scope="module")
def summary(results):
    return json.loads((results / "ad_auction/summary.json").read_text())


# --- folder and summary --------------------------------------------------------------------------


def test_the_run_folder(results):
    run = results / "ad_auction"
    top = {p.name for p in run.iterdir() if not p.name.startswith("events.out.tfevents.")}
    files = {"config.yaml", "incentives.json", "summary.json", "ledger.jsonl", "seals.json"}
    assert top == files | {"base", ".locks"}
    assert {p.name for p in (run / "base").iterdir()} == {"s0", "s1", "_band"}
    seed = sorted(p.name.partition(".tfevents")[0] for p in (run / "base/s0").iterdir())
    assert seed == [
        "checkpoint.json",
        "checkpoint.safetensors",
        "events.out",
        "keyframes.safetensors",
    ]
    for folder in (run, run / "base/_band", run / "base/s1"):
        assert len(list(folder.glob("events.out.tfevents.*"))) == 1


def test_the_summary_of_a_lone_base_is_flat(summary):
    assert list(summary) == KEYS
    assert summary["experiment"] == summary["market"] == "ad_auction"
    assert (summary["seeds"], summary["agent_steps"]) == (2, 2 * 2 * 20_000)
    assert summary["agent_steps_per_second"] > 0
    assert set(summary["machine"]) == {"processor", "flags", "system", "python", "versions"}


def test_every_measure_has_mean_interval_n_and_seeds(summary):
    for name, entry in summary["measures"].items():
        assert list(entry) == ["mean", "ci95", "n", "per_seed"], name
        assert len(entry["per_seed"]) == 2
        assert entry["n"] == sum(x is not None for x in entry["per_seed"])
        if entry["n"] < 2:
            assert entry["ci95"] == [None, None]
            continue
        low, high = entry["ci95"]
        assert low <= entry["mean"] <= high
        assert entry["mean"] == pytest.approx(np.mean(entry["per_seed"]), rel=1e-12)


def test_the_names_of_measures(summary):
    per_seat = {f"{name}/bidder_{i}" for name in OWN for i in (0, 1)}
    market = {"revenue", "fill", "welfare", "collusion_index", "winner_share"}
    ends = {"profit/best", "profit/worst"}
    known = {*OWN, *per_seat, *market, *ends, *CYCLES}
    assert known <= set(summary["measures"])
    probed = [*PROBES.values(), *CONTROLS.values()]
    figures = tuple(name for probe in probed for name in probe.figures)
    assert all(name.startswith(figures) for name in set(summary["measures"]) - known)
    assert {"tempted_states", "best_response_gap/bidder_0", "rematched/tempted_states"} <= set(
        summary["measures"]
    )


def test_measures_fit_together(summary):
    value = {name: np.array(entry["per_seed"]) for name, entry in summary["measures"].items()}
    seats = [value["profit/bidder_0"], value["profit/bidder_1"]]
    assert value["profit"] == pytest.approx(np.mean(seats, axis=0))
    assert value["profit/best"] == pytest.approx(np.max(seats, axis=0))
    assert value["profit/worst"] == pytest.approx(np.min(seats, axis=0))
    assert value["revenue"] + sum(seats) == pytest.approx(value["welfare"])
    assert value["collusion_index"] == pytest.approx((0.95 - value["revenue"]) / 0.9)
    assert sum(value[name] for name in CYCLES) == pytest.approx([1, 1])


def test_a_stopping_rule_adds_when_it_was_met(tmp_path):
    rule = [
        "agents.bidder.stop_after=300",
        "agents.bidder.epsilon_decay=.01",
        "agents.bidder.initial_q=0",
    ]
    found = small(tmp_path, *rule)["measures"]
    assert found["converged"]["per_seed"] == [1.0, 1.0]
    assert found["converged"]["ci95"][1] == 1.0
    assert all(0 <= rounds < 20_000 - 300 for rounds in found["rounds_to_stop"]["per_seed"])


def test_with_one_seed_the_interval_is_unknown(tmp_path):
    entry = small(tmp_path, "seeds=1")["measures"]["revenue"]
    assert (entry["ci95"], entry["n"]) == ([None, None], 1)


def test_incentives_are_written_in_words_and_unsigned(results):
    card = json.loads((results / "ad_auction/incentives.json").read_text())["base"]
    assert card["validated_by"] is None
    seat = card["seats"]["bidder_1"]
    arm = read_experiment(RunFolder(results / "ad_auction")).arms["base"]
    assert seat["words"] == f"bidder_1 {kpis.sentence(arm.kpi['bidder_1'])}"
    assert seat["fundamental"] == "profit"
    stored = files.read_yaml(results / "ad_auction/config.yaml")
    assert seat["terms"] == stored["arms"]["base"]["kpi"]["bidder_1"]


# --- what may not matter -------------------------------------------------------------------------


@pytest.mark.slow
def test_the_first_seeds_of_many_are_those_of_few(tmp_path):
    many = small(tmp_path, "seeds=6", name="many")["measures"]
    few = small(tmp_path, "seeds=4", name="few")["measures"]
    assert many.keys() == few.keys()
    for name, entry in few.items():
        assert many[name]["per_seed"][:4] == entry["per_seed"], name
    shifted = small(tmp_path, "seeds=2", "seed=2", name="shifted")["measures"]
    assert shifted["revenue"]["per_seed"] == few["revenue"]["per_seed"][2:]


def test_one_thread_equals_two(tmp_path, monkeypatch):
    found = []
    for threads in ("1", "2"):
        monkeypatch.setenv("TACIT_THREADS", threads)
        summary = small(tmp_path / threads, "seeds=4", "kpi=calm")
        found.append((measures_of(summary), files_of(tmp_path / threads)))
    assert found[0] == found[1]
    assert len(found[0][1]) == 8  # a checkpoint and keyframes a seed


def test_learned_policies_reload_as_they_were_trained(results):
    run = RunFolder(results / "ad_auction")
    arm = read_experiment(run).arms["base"]
    for k in range(arm.seeds):
        group = TabularGroup(arm.market, arm.kpi, arm.agents, arm.seed + k)
        group.run(arm.train.rounds)
        fresh = dict(zip(("bidder_0", "bidder_1"), group.tables(), strict=True))
        stored = learned_tables(run, arm, k)
        assert all(np.array_equal(stored[seat], fresh[seat]) for seat in fresh)
        assert set(stored) == set(fresh)


# --- arms ----------------------------------------------------------------------------------------


def test_as_adds_an_arm_and_keeps_the_others(tmp_path):
    small(tmp_path, as_arm="profit")
    before = files_of(tmp_path, ["profit/s*/*"])
    summary = small(tmp_path, "kpi=calm", as_arm="calm")
    assert list(summary) == ["experiment", "arms"]
    assert list(summary["arms"]) == ["profit", "calm"]
    assert all(list(arm) == KEYS for arm in summary["arms"].values())
    assert files_of(tmp_path, ["profit/s*/*"]) == before
    arms = read_experiment(RunFolder(tmp_path / "ad_auction")).arms
    assert weights(arms["calm"]) == {"profit": 1, "price_change": -1}
    assert weights(arms["profit"]) == {"profit": 1}
    assert json.loads((tmp_path / "ad_auction/summary.json").read_text()) == summary


def test_the_same_again_trains_nothing(results, summary):
    before = files_of(results, ["s*/*"])
    again = small(results)
    assert measures_of(again) == measures_of(summary)
    assert files_of(results, ["s*/*"]) == before
    acts = [
        json.loads(x)["act"] for x in (results / "ad_auction/ledger.jsonl").read_text().splitlines()
    ]
    sealing = ["results are being written", "results sealed"]
    assert acts == [*sealing, "training started", *sealing, "training finished"]


def test_another_configuration_is_refused_with_advice(results):
    before = files_of(results, ["*"])
    with pytest.raises(ConfigError) as error:
        small(results, "kpi=calm")
    assert str(error.value) == (
        f"{results / 'ad_auction'}: holds arm base with another configuration, which is kept. "
        "Add this one with --as NAME, or start a run with --name or in another --results."
    )
    assert files_of(results, ["*"]) == before


def test_a_chosen_arm_leaves_the_run_s_others(tmp_path):
    config = write(tmp_path / "two.yaml", "market: ad_auction\narms: {a: {}, b: {kpi: calm}}")
    whole = small(tmp_path, config=config)
    again = small(tmp_path, config=config, arms=["b"])
    assert measures_of(again) == measures_of(whole)
    assert list(read_experiment(RunFolder(tmp_path / "two")).arms) == ["a", "b"]


def test_a_name_and_a_table_make_a_run(tmp_path):
    table = {"market": "ad_auction", "train": {"rounds": 1000, "measure_last": 100}, "seeds": 1}
    train(table, name="mine", results=tmp_path)
    assert (tmp_path / "mine/summary.json").is_file()


def test_another_experiment_is_not_mixed_into_a_run(tmp_path):
    """Of the same name, with a question of its own and none of the arms that stand there."""
    small(tmp_path, as_arm="profit")
    other = {"question": "Another one?", "market": {"name": "ad_auction"}, "arms": {"mine": {}}}
    with pytest.raises(ConfigError, match="holds another experiment") as error:
        small(tmp_path, config=other, name="ad_auction")
    (line,) = error.value.mistakes
    assert line.endswith("which is kept. Choose another --name or --results.")
    assert small(tmp_path, as_arm="calm")["arms"].keys() == {"profit", "calm"}


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/tmp/out", "."])
def test_a_run_stays_in_its_folder(name, tmp_path):
    with pytest.raises(ConfigError, match="--name: must name a folder within"):
        small(tmp_path / "results", name=name)
    assert not list(tmp_path.rglob("out"))
