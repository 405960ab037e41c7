"""Breakers in training: stop, pause, rollback, and that interruptions change none of it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.training_fixtures import InterruptAfter, arm, files_of, small

from tacit.envs.errors import ConfigError
from tacit.oversight import ledger
from tacit.training.board.read_scalars import read_scalars
from tacit.training.outcome.summary import read_summary
from tacit.training.runs import breakers, partial, worker_pool
from tacit.training.runs.held import release
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import Interrupted, Paused, train_experiment
from tacit.training.storage import checkpoint
from tacit.training.storage.keyframes import read_keyframes
from tacit.training.storage.load_run import learned_tables, read_experiment, trained_arm
from tacit.training.storage.run_folder import RunFolder
from tacit.training.studies.compare import compare

BASE = (
    "kpi.bidder.price_change=-1", "train.evaluate_every=1000", "train.rounds=12000",
    "train.measure_last=5000",
)  # fmt: skip
# In these short runs the price is below .99 at every point, so it trips at the third one.
THIRD = "watch: clearing_price, low: .99, points: 3"
STOP = f"breakers.calm={{{THIRD}, action: stop}}"
PAUSE = f"breakers.calm={{{THIRD}, action: pause}}"
NEVER = "breakers.calm={watch: clearing_price, low: -1, action: stop}"
NO_PRICE_CHANGE = "{kpi: {bidder: {price_change: 0}}}"


def rollback(redirect=NO_PRICE_CHANGE, to="1", **keys):
    more = "".join(f", {key}: {value}" for key, value in keys.items())
    return f"breakers.calm={{{THIRD}, action: rollback, to: {to}, redirect: {redirect}{more}}}"


def train(results, *settings, **options):
    return small(results, *BASE, *settings, **options)


def record_of(results, k=0, name="base"):
    path = results / "ad_auction" / name / f"s{k}" / "checkpoint.safetensors"
    return checkpoint.load(path)


def states_of(results, branch=0, k=0):
    return read_keyframes(results / "ad_auction" / "base" / f"s{k}", branch)


def acts(results, act="breaker tripped"):
    entries = ledger.read(results / "ad_auction" / "ledger.jsonl")
    assert ledger.first_broken(results / "ad_auction" / "ledger.jsonl") is None
    return [entry for entry in entries if entry["act"] == act]


def resume(results, listener=None):
    run = RunFolder(results / "ad_auction")
    return train_experiment(read_experiment(run), run, listener or NoProgress())


def same(one, other):
    assert one.keys() == other.keys()
    return [name for name in one if one[name].tobytes() != other[name].tobytes()] == []


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A run of the same without breakers."""
    results = tmp_path_factory.mktemp("plain")
    return results, train(results)


@pytest.fixture(scope="module")
def redirected(tmp_path_factory):
    results = tmp_path_factory.mktemp("redirected")
    return results, train(results, rollback())


def test_a_breaker_that_never_trips_changes_no_bit(tmp_path, plain):
    summary = train(tmp_path, NEVER)
    assert files_of(tmp_path) == files_of(plain[0])
    assert summary["measures"] == plain[1]["measures"]
    assert summary["breakers"] == {
        "stopped": 0, "rolled_back": 0, "redirected": 0, "trips": {"calm": 0},
    }  # fmt: skip
    assert "breakers" not in plain[1]
    _, record = record_of(tmp_path)
    assert (record["trips"], record["left"]) == ([], [])
    assert not {"trips", "branches", "left"} & record_of(plain[0])[1].keys()


# --- stop ----------------------------------------------------------------------------------------


def test_a_stopped_seed_ends_at_the_point_at_which_it_trips(tmp_path, plain):
    summary = train(tmp_path, STOP)
    arrays, record = record_of(tmp_path)
    assert record["rounds"] == 3_000
    assert same(arrays, states_of(plain[0])[3_000])
    (trip,) = record["trips"]
    assert (trip["breaker"], trip["round"], trip["since"], trip["branch"]) == (
        "calm",
        3_000,
        1_000,
        0,
    )
    assert (trip["watch"], trip["band"], trip["action"]) == ("clearing_price", [0.99, None], "stop")
    assert trip["value"] < 0.99
    assert list(states_of(tmp_path)) == [1_000, 2_000]  # the last one is the checkpoint
    assert summary["breakers"]["stopped"] == 2
    for k, act in enumerate(sorted(acts(tmp_path), key=lambda act: act["seed"])):
        assert act["arm"] == "base"
        assert act["seed"] == k
        assert {**record_of(tmp_path, k)[1]["trips"][0]}.items() <= act.items()


def test_no_word_is_said_of_stopped_seeds_and_the_table_tells(tmp_path):
    train(tmp_path, STOP)
    run = RunFolder(tmp_path / "ad_auction")
    verdicts = read_summary(run.summary)["base"]["verdicts"]
    assert verdicts
    for verdict in verdicts:
        assert verdict["word"] == "undecided"
        assert verdict["missing"][0].startswith("breakers: 2 of 2 stopped seeds")
    (row,) = compare([run])
    assert row.cells["breakers"] == "2 of 2 stopped"
    assert row.numbers["breakers_stopped"] == 2


def test_a_stop_acts_before_a_rollback_at_the_same_point(tmp_path):
    hard = f"breakers.hard={{{THIRD}, action: stop}}"
    train(tmp_path, rollback(), hard, "seeds=1")
    _, record = record_of(tmp_path)
    assert [(trip["breaker"], trip["action"]) for trip in record["trips"]] == [("hard", "stop")]


def test_the_last_point_is_judged_as_well(tmp_path):
    at_the_end = "breakers.calm={watch: clearing_price, low: .99, points: 12, action: stop}"
    train(tmp_path, at_the_end, "seeds=1")
    _, record = record_of(tmp_path)
    assert (record["rounds"], record["trips"][0]["round"]) == (12_000, 12_000)


# --- rollback ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "expected"), [("null", 0), ("1", 2_000), ("2", 1_000), ("9", 0), ("r1999", 1_000)]
)
def test_to_which_state_it_goes_back(tmp_path, to, expected):
    train(tmp_path, rollback(to=to), "seeds=1")
    _, record = record_of(tmp_path)
    first, last = record["trips"]
    assert (first["round"], first["to"], first["from"], first["into"]) == (3_000, expected, 0, 1)
    assert first["redirect"] == {"kpi": {"bidder": {"price_change": 0}}}
    # Once only: after three more points outside it stops.
    assert (last["action"], last["after_rollbacks"]) == ("stop", 1)
    assert record["rounds"] == last["round"] == expected + 3_000
    assert record["branches"] == [
        {"branch": 0, "from": None, "start": 0, "end": 3_000},
        {"branch": 1, "from": 0, "start": expected, "end": expected + 3_000},
    ]


def test_a_rollback_is_exact_and_without_a_redirect_it_happens_again(tmp_path, plain):
    train(tmp_path, rollback("none", times=2))
    for k in range(2):
        arrays, record = record_of(tmp_path, k)
        assert [trip["round"] for trip in record["trips"]] == [3_000, 5_000, 7_000]
        assert [trip.get("to") for trip in record["trips"]] == [2_000, 4_000, None]
        assert record["trips"][0]["redirect"] == "none: it will happen again"
        known = states_of(plain[0], k=k)
        assert same(arrays, known[7_000])
        for branch in range(3):
            for rounds, state in states_of(tmp_path, branch, k).items():
                assert same(state, known[rounds])


def test_the_redirect_is_in_force_from_the_kept_state_on(redirected, plain):
    """The branch by hand: the state of the plain run, in a group that is paid otherwise."""
    results, _ = redirected
    own = arm(*BASE, rollback())
    for k in range(2):
        _, record = record_of(results, k)
        assert record["trips"][0]["to"] == 2_000
        other = arm(*BASE, "kpi.bidder.price_change=0").group(k)
        other.load(states_of(plain[0], k=k)[2_000])
        other.run(1_000)
        other.read()
        assert same(other.state(), states_of(results, 1, k)[3_000])
        assert not same(other.state(), states_of(plain[0], k=k)[3_000])
        run = RunFolder(results / "ad_auction")
        assert trained_arm(run, own, k).kpi["bidder_0"]["price_change"].weight == 0
        assert learned_tables(run, own, k).keys() == {"bidder_0", "bidder_1"}


def test_the_branch_that_was_left_stays_on_record(redirected, plain):
    results, summary = redirected
    _, record = record_of(results)
    assert list(states_of(results)) == [1_000, 2_000, 3_000]
    assert same(states_of(results)[3_000], states_of(plain[0])[3_000])
    (left,) = record["left"]
    assert (left["branch"], left["rounds"]) == (0, [3_000])
    assert left["figures"]["clearing_price"] == [record["trips"][0]["value"]]
    assert set(record["keyframes_sha256"]) == {"keyframes.safetensors", "keyframes.b1.safetensors"}
    assert record["agent_steps"] == 2 * (3_000 + 3_000)  # 3,000 of the first, 3,000 of the second
    assert summary["breakers"] == {
        "stopped": 2, "rolled_back": 2, "redirected": 2, "trips": {"calm": 4},
    }  # fmt: skip


def test_fresh_draws_and_forgetting_lead_elsewhere(tmp_path, plain):
    for name, redirect in (("fresh", "{fresh_stream: true}"), ("forget", "{forget: true}")):
        train(tmp_path, rollback(redirect), "seeds=1", name=name)
        run = tmp_path / name / "base" / "s0"
        found, known = read_keyframes(run, 1)[3_000], states_of(plain[0])[3_000]
        assert not same(found, known)
        assert found["q_arrays.clock"][0] == known["q_arrays.clock"][0]


def test_agents_that_forget_begin_with_their_first_values(plain):
    own = arm(*BASE, "seeds=1")
    kept = states_of(plain[0])[2_000]
    group, first = own.group(0), own.group(0).state()
    group.branch_from(kept, forget=True)
    state = group.state()
    assert np.array_equal(state["q_arrays.q"], first["q_arrays.q"])
    assert np.array_equal(state["rows.state"], kept["rows.state"])
    assert (group.rounds, group.stable_rounds) == (2_000, 0)
    group.run(500)
    assert group.rounds == 2_500


def test_a_market_s_rule_can_be_the_redirect(tmp_path):
    train(tmp_path, rollback("{market: {price_mix: 1}}"), "seeds=1")
    run = RunFolder(tmp_path / "ad_auction")
    own = read_experiment(run).arms["base"]
    assert own.market.config.price_mix == 0
    assert trained_arm(run, own, 0).market.config.price_mix == 1


def test_a_later_branch_keeps_what_an_earlier_one_was_given(tmp_path):
    """In first price the random bids of the beginning fetch more than .5, in second price less."""
    dear = (
        "breakers.dear={watch: clearing_price, high: .5, action: rollback, to: 1, redirect: "
        f"{NO_PRICE_CHANGE}}}"
    )
    train(tmp_path, rollback("{market: {price_mix: 1}}"), dear, "seeds=1")
    _, record = record_of(tmp_path)
    told = [(t["breaker"], t["branch"], t["round"], t["action"]) for t in record["trips"]]
    assert told == [
        ("calm", 0, 3_000, "rollback"), ("dear", 1, 3_000, "rollback"), ("dear", 2, 3_000, "stop"),
    ]  # fmt: skip
    # Branch 1 began with a state of branch 0, and kept none before it was left.
    assert record["branches"][2] == {"branch": 2, "from": 0, "start": 2_000, "end": 3_000}
    run = RunFolder(tmp_path / "ad_auction")
    own = trained_arm(run, read_experiment(run).arms["base"], 0)
    assert own.kpi["bidder_0"]["price_change"].weight == 0
    assert own.market.config.price_mix == 1


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("reports", [2, 9, 17, 26])
def test_interruptions_change_neither_trips_nor_bits(
    reports, threads, tmp_path, monkeypatch, redirected
):
    monkeypatch.setenv("TACIT_THREADS", threads)
    monkeypatch.setattr(partial, "EVERY", 0.0)
    with pytest.raises(Interrupted):
        train(tmp_path, rollback(), listener=InterruptAfter(reports))
    summary = resume(tmp_path)
    assert files_of(tmp_path) == files_of(redirected[0])
    assert summary["measures"] == redirected[1]["measures"]

    def told(results):
        keys = ("n", "time", "hash", "previous")
        found = [{k: v for k, v in act.items() if k not in keys} for act in acts(results)]
        return sorted(found, key=lambda act: (act["seed"], act["branch"], act["round"]))

    assert told(tmp_path) == told(redirected[0])
    for k in range(2):
        own, known = record_of(tmp_path, k)[1], record_of(redirected[0], k)[1]
        assert all(own[key] == known[key] for key in ("trips", "branches", "left"))


def test_a_crash_between_the_act_and_its_effect_enters_it_once(tmp_path, monkeypatch, redirected):
    monkeypatch.setenv("TACIT_THREADS", "1")
    begin = breakers.SeedBreakers._begin_branch
    seen = []

    def cut(self, repetition, trip, report):
        seen.append((repetition.group.rounds, acts(tmp_path)[-1]["round"]))
        raise KeyboardInterrupt

    monkeypatch.setattr(breakers.SeedBreakers, "_begin_branch", cut)
    with pytest.raises(Interrupted):
        train(tmp_path, rollback())
    # The act was on disk while the group still was where it tripped.
    assert seen[0] == (3_000, 3_000)
    monkeypatch.setattr(breakers.SeedBreakers, "_begin_branch", begin)
    resume(tmp_path)
    assert files_of(tmp_path) == files_of(redirected[0])
    assert len(acts(tmp_path)) == 4


# --- pause ---------------------------------------------------------------------------------------


def test_a_paused_seed_waits_and_loses_nothing(tmp_path, plain):
    with pytest.raises(Paused) as held:
        train(tmp_path, PAUSE)
    assert held.value.exit_code == 3
    first, *_, last = held.value.advice.splitlines()
    assert first == "paused: 2 seeds; everything is kept."
    assert last == f"Go on: tacit resume ad_auction --results {tmp_path} --release calm"
    assert [act["finished"] for act in acts(tmp_path, "training paused")] == [0]
    with pytest.raises(Paused):
        resume(tmp_path)
    assert len(acts(tmp_path)) == 2
    run = RunFolder(tmp_path / "ad_auction")
    with pytest.raises(ConfigError, match=r"--release: 'clam' holds no seed. Did you mean 'calm'"):
        release(run, read_experiment(run), "clam")
    assert release(run, read_experiment(run), "calm") == 2
    released = acts(tmp_path, "breaker released")
    assert [(act["breaker"], act["round"]) for act in released] == [("calm", 3_000)] * 2
    # All later points are outside as well, and none was inside since: it does not trip again.
    summary = resume(tmp_path)
    assert files_of(tmp_path) == files_of(plain[0])
    assert summary["measures"] == plain[1]["measures"]
    assert summary["breakers"]["trips"] == {"calm": 2}


def test_a_released_breaker_looks_again_once_its_figure_was_inside(monkeypatch, tmp_path):
    own = arm(*BASE, PAUSE.replace("points: 3", "points: 1"))
    judged = breakers.SeedBreakers(RunFolder(tmp_path), own, 0, {"released": ["calm"]})
    trips = []
    for rounds, value in enumerate([0.5, float("nan"), 0.5, 0.99, 0.5], 1):
        monkeypatch.setattr(breakers, "readings", lambda *_, at=value: {"clearing_price": at})
        judged.read(rounds, np.zeros(1), {})
        trips.append(judged._due is not None)
        released = judged.plain()["released"]
        assert released == (["calm"] if rounds < 4 else [])
    assert trips == [False] * 4 + [True]


def test_a_breaker_looks_from_a_round_on(tmp_path, plain):
    train(tmp_path, STOP.replace("points: 3", "points: 2, from: 5000"))
    arrays, record = record_of(tmp_path)
    assert (record["trips"][0]["since"], record["rounds"]) == (5_000, 6_000)
    assert same(arrays, states_of(plain[0])[6_000])
    assert record["arm"]["breakers"]["calm"]["from"] == 5_000
    assert "from round 5,000 on" in arm(*BASE, STOP, "breakers.calm.from=5000").breakers[
        "calm"
    ].sentence  # fmt: skip


def test_other_seeds_go_on_and_later_generations_wait(tmp_path):
    experiment = {
        "market": "ad_auction",
        "arms": {
            "held": {"breakers": {"calm": {"watch": "fill", "low": 2, "action": "pause"}}},
            "free": {},
            "later": {"train.starts_from": "held"},
        },
    }
    with pytest.raises(Paused):
        small(tmp_path, "seeds=1", config=experiment)
    folder = tmp_path / "ad_auction"
    finished = sorted(path.parent.parent.name for path in folder.rglob("checkpoint.json"))
    assert finished == ["free"]


@pytest.mark.parametrize(
    "breakers_saved",
    [{"trips": [7]}, {"trips": 7}, {"streaks": {"calm": 3}}, {"trips": [], "streaks": []}],
)
def test_a_save_that_says_something_else_is_refused(breakers_saved, tmp_path):
    with pytest.raises(Paused):
        train(tmp_path, PAUSE, "seeds=1")
    path = tmp_path / "ad_auction" / "base" / "s0" / partial.NAME
    record = checkpoint.finished(path)
    checkpoint.rewrite_record(path, {**record, "breakers": breakers_saved})
    with pytest.raises(ConfigError, match=r"its trips cannot be read|is not a save"):
        resume(tmp_path)


# --- elsewhere -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_worker_processes_write_the_same_acts_into_one_chain(tmp_path, monkeypatch):
    settings = ("agents.bidder=ippo", "train.copies=4", "train.rounds=4096", "seeds=2",
                "train.measure_last=1024", "train.evaluate_every=1024")  # fmt: skip
    breaker = rollback("none").replace("points: 3", "points: 2")
    monkeypatch.setenv("TACIT_THREADS", "2")
    monkeypatch.setattr(worker_pool, "WORTH_IT", 0)
    small(tmp_path / "pool", "kpi.bidder.price_change=-1", *settings, breaker)
    monkeypatch.setenv("TACIT_THREADS", "1")
    small(tmp_path / "own", "kpi.bidder.price_change=-1", *settings, breaker)
    assert files_of(tmp_path / "pool") == files_of(tmp_path / "own")
    both = [
        sorted((a["seed"], a["branch"], a["round"], a["value"]) for a in acts(tmp_path / where))
        for where in ("pool", "own")
    ]
    assert both[0] == both[1]
    assert len(both[0]) == 4


def test_tensorboard_shows_the_distance_and_the_branch_that_went_on(redirected):
    results, _ = redirected
    folder = results / "ad_auction" / "base" / "s0"
    scalars = read_scalars(folder, {"breaker/calm", "measure/market/clearing_price"})
    steps = sorted(step for tag, step in scalars if tag == "breaker/calm")
    assert steps == [1_000, 2_000, 3_000, 4_000, 5_000]
    for step in steps:
        price = scalars["measure/market/clearing_price", step]
        assert scalars["breaker/calm", step] == pytest.approx(price - 0.99, abs=1e-6)
    _, record = record_of(results)
    assert scalars["measure/market/clearing_price", 3_000] != pytest.approx(
        record["left"][0]["figures"]["clearing_price"][0], abs=1e-9
    )
    (path,) = folder.glob("events.out.tfevents.*")
    data = path.read_bytes()
    assert b"breaker_trips/1_calm" in data
    assert b"rollback to round 2,000, branch 1" in data


def test_cards_name_the_breakers(redirected):
    results, _ = redirected
    cards = json.loads((results / "ad_auction" / "incentives.json").read_text())
    (line,) = cards["base"]["update_triggers"]
    assert line.startswith("breaker calm: clearing_price outside 0.99.. at 3 points one after")
