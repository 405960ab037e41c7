"""Breakers that judge all seeds of an arm: the mean, actions in every seed, exchanged partners."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext
from shutil import copytree

import numpy as np
import pytest
from support.training_fixtures import InterruptAfter, arm, files_of, mistakes, small

from tacit.agents.exchange import learner_hash, with_learners
from tacit.oversight import ledger
from tacit.oversight.signers import Signers
from tacit.training.acts.acts import Acts
from tacit.training.acts.control import RunControl
from tacit.training.acts.gate import COMPLETE
from tacit.training.acts.protocol import ActRequest
from tacit.training.board.read_scalars import read_scalars
from tacit.training.config.load import load
from tacit.training.record.replay import differing_arrays
from tacit.training.record.reproduction import reproduce_run
from tacit.training.record.verification import EVERY, verify
from tacit.training.runs import partial
from tacit.training.runs.arm_points.exchange import source
from tacit.training.runs.arm_points.points import HOPELESS, WAITS, ArmPoints, Given, Reading
from tacit.training.runs.held import release
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import Interrupted, Paused, train_experiment
from tacit.training.runs.seed_run import Repetition
from tacit.training.runs.worker_pool import goes_to_pool
from tacit.training.storage import checkpoint
from tacit.training.storage.keyframes import read_keyframes
from tacit.training.storage.load_run import load_run, read_experiment
from tacit.training.storage.run_folder import RunFolder

SEEDS = 3
BASE = (
    "kpi.bidder.price_change=-1", "train.evaluate_every=1000", "train.rounds=8000",
    "train.measure_last=3000", f"seeds={SEEDS}",
)  # fmt: skip
# In these short runs the price is below .99 at every point, so it trips at the third one.
THIRD = "watch: clearing_price, low: .99, points: 3, scope: arm"
EXCHANGE = f"breakers.calm={{{THIRD}, action: rollback, to: 1, redirect: {{partners: exchanged}}}}"
PAUSE = f"breakers.calm={{{THIRD}, action: pause}}"


def train(results, *settings, **options):
    return small(results, *BASE, *settings, **options)


def record_of(results, k):
    return checkpoint.load(results / "ad_auction" / "base" / f"s{k}" / "checkpoint.safetensors")


def trips_of(results):
    return [record_of(results, k)[1]["trips"] for k in range(SEEDS)]


def acts(results, act="breaker tripped"):
    path = results / "ad_auction" / "ledger.jsonl"
    assert ledger.first_broken(path) is None
    found = [entry for entry in ledger.read(path) if entry["act"] == act]
    return sorted(
        ({k: v for k, v in entry.items() if k not in ledger.OF_A_LINE} for entry in found),
        key=lambda act: (act["seed"], act["branch"], act["round"]),
    )


def resume(results, listener=None):
    run = RunFolder(results / "ad_auction")
    return train_experiment(read_experiment(run), run, listener or NoProgress())


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    results = tmp_path_factory.mktemp("plain")
    train(results)
    return results


@pytest.fixture(scope="module")
def exchanged(tmp_path_factory):
    results = tmp_path_factory.mktemp("exchanged")
    train(results, EXCHANGE)
    return results


# --- the mean ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_mean_over_the_seeds_decides_and_every_seed_stops(tmp_path, plain):
    train(tmp_path / "seed", "breakers.calm={watch: fill, low: 2, action: stop}")
    first = "breakers.calm={watch: clearing_price, low: .99, action: stop"
    train(tmp_path / "each", f"{first}}}")
    train(tmp_path / "arm", f"{first}, scope: arm}}")
    each = [trips[0]["value"] for trips in trips_of(tmp_path / "each")]
    assert len(set(each)) == SEEDS
    for k, (trip,) in enumerate(trips_of(tmp_path / "arm")):
        assert trip["value"] == sum(each) / SEEDS
        assert (trip["scope"], trip["seeds"], trip["round"]) == ("arm", SEEDS, 1_000)
        arrays, record = record_of(tmp_path / "arm", k)
        assert record["rounds"] == 1_000
        kept = read_keyframes(plain / "ad_auction" / "base" / f"s{k}")[1_000]
        assert not differing_arrays(arrays, kept)


@pytest.mark.slow
def test_one_seed_outside_is_not_enough_and_one_inside_does_not_save_the_rest(tmp_path):
    first = "breakers.calm={watch: clearing_price, low: .99, action: stop"
    train(tmp_path / "each", f"{first}}}")
    each = sorted(trips[0]["value"] for trips in trips_of(tmp_path / "each"))
    mean = sum(each) / SEEDS
    between = [(each[0] + mean) / 2, (each[-1] + mean) / 2]
    for low, trips in zip(between, (0, 1), strict=True):
        keys = f"{{watch: clearing_price, low: {low}, high: 9, action: stop, scope: arm}}"
        results = tmp_path / str(trips)
        train(results, f"breakers.calm={keys}", "train.rounds=1000", "train.measure_last=1000")
        assert [len(own) for own in trips_of(results)] == [trips] * SEEDS


def test_the_event_file_has_the_distance_of_the_mean(exchanged):
    folder = exchanged / "ad_auction" / "base" / "s1"
    found = {step: value for (_, step), value in read_scalars(folder, {"breaker/calm"}).items()}
    (_, last) = trips_of(exchanged)[1]  # curves are those of the branch that went on
    assert sorted(found) == [1_000, 2_000, 3_000, 4_000, 5_000]
    assert found[5_000] == pytest.approx(last["value"] - 0.99, abs=1e-6)


# --- exchanged partners --------------------------------------------------------------------------


def test_learners_go_on_with_partners_from_other_seeds(exchanged, plain):
    group = arm(*BASE).group(0)
    kept = [read_keyframes(plain / "ad_auction" / "base" / f"s{k}")[2_000] for k in range(SEEDS)]
    for k, trips in enumerate(trips_of(exchanged)):
        assert (trips[0]["to"], trips[0]["round"], trips[0]["into"]) == (2_000, 3_000, 1)
        assert trips[0]["redirect"] == {"partners": "exchanged"}
        expected = with_learners(group, kept[k], {"bidder_1": kept[k - 1]})
        seats = {"bidder_0": k, "bidder_1": (k - 1) % SEEDS}
        for seat, seed in seats.items():
            told = trips[0]["partners"][seat]
            assert (told["seed"], told["branch"]) == (seed, 0)
            assert told["sha256"] == learner_hash(group, kept[seed], seat)
            assert told["sha256"] == learner_hash(group, expected, seat)
        # Played on from that state, the market comes to the first state of the branch.
        group.load(expected)
        group.run(1_000)
        group.read()
        branch = read_keyframes(exchanged / "ad_auction" / "base" / f"s{k}", 1)
        own = arm(*BASE).group(k)
        own.load(expected)
        own.run(1_000)
        own.read()
        assert not differing_arrays(own.state(), branch[3_000])
    assert acts(exchanged)[0]["partners"] == trips_of(exchanged)[0][0]["partners"]


def test_every_seat_meets_others_if_there_are_as_many_seeds_as_seats():
    for ring in ([0, 1, 2], [1, 3, 4, 8]):
        for k in ring:
            assert len({source(ring, k, seat) for seat in range(len(ring))}) == len(ring)
        for seat in range(3):  # nobody is lost, nobody is there twice
            assert sorted(source(ring, k, seat) for k in ring) == ring
    assert source([0, 1, 2, 3], 3, 1) == 2  # the learner of seat 1 in seed 2 goes on in seed 3


@pytest.mark.slow
def test_a_learner_s_own_arrays_are_all_that_moves():
    own = arm("agents.bidder_1=ippo", "train.copies=2")
    states = []
    for k in range(2):
        group = own.group(k)
        group.run(100)
        states.append(group.state())
    for seat in ("bidder_0", "bidder_1"):
        after = with_learners(group, states[0], {seat: states[1]})
        other = "bidder_1" if seat == "bidder_0" else "bidder_0"
        assert learner_hash(group, after, seat) == learner_hash(group, states[1], seat)
        assert learner_hash(group, after, seat) != learner_hash(group, states[0], seat)
        assert learner_hash(group, after, other) == learner_hash(group, states[0], other)
        rows = [name for name in after if name.startswith("rows.")]
        assert all(np.array_equal(after[name], states[0][name]) for name in rows)
        group.load(after)
    networks = {name for name in states[0] if name.startswith("learner.bidder_1.")}
    samples = {name for name in states[0] if name.startswith("rollout_buffer.")}
    assert networks
    assert networks | samples == set(group.learner_part(states[0], "bidder_1"))
    assert arm("agents.bidder_1=scripted").group(0).learner_part(states[0], "bidder_1") == {}


def test_a_learner_that_is_not_the_ledger_s_is_not_taken(exchanged, tmp_path):
    own = read_experiment(RunFolder(exchanged / "ad_auction")).arms["base"]
    run = load_run("ad_auction", exchanged)
    assert verify(run.folder, Signers(None), EVERY).altered == []
    copytree(exchanged / "ad_auction", tmp_path / "ad_auction")
    folder = RunFolder(tmp_path / "ad_auction")
    path = folder.seed("base", 0) / "keyframes.safetensors"
    path.write_bytes((folder.seed("base", 1) / "keyframes.safetensors").read_bytes())
    found = verify(folder, Signers(None), EVERY).altered
    assert any("is not the one that the ledger names" in line for line in found)
    assert own.has_arm_breakers


# --- one result, whatever the threads, whoever interrupts ----------------------------------------


@pytest.mark.parametrize("threads", ["1", "2", "5"])
def test_the_number_of_threads_changes_no_bit(threads, tmp_path, monkeypatch, exchanged):
    monkeypatch.setenv("TACIT_THREADS", threads)
    train(tmp_path, EXCHANGE)
    assert files_of(tmp_path) == files_of(exchanged)
    assert acts(tmp_path) == acts(exchanged)
    assert [len(trips) for trips in trips_of(tmp_path)] == [2] * SEEDS


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("reports", [2, 11, 14, 17, 20, 26])
def test_interruptions_change_nothing(reports, threads, tmp_path, monkeypatch, exchanged):
    monkeypatch.setenv("TACIT_THREADS", threads)
    monkeypatch.setattr(partial, "EVERY", 0.0)
    with pytest.raises(Interrupted):
        train(tmp_path, EXCHANGE, listener=InterruptAfter(reports))
    resume(tmp_path)
    assert files_of(tmp_path) == files_of(exchanged)
    assert acts(tmp_path) == acts(exchanged)
    assert trips_of(tmp_path) == trips_of(exchanged)


def test_an_interruption_while_all_wait_until_states_are_written(tmp_path, monkeypatch, exchanged):
    """What was written is known to the process that ended; those that go on say it again."""
    monkeypatch.setattr(partial, "EVERY", 0.0)
    asked = ArmPoints.all_wrote

    def interrupted(points, generation, rounds):
        if len(points._written) == SEEDS:
            raise KeyboardInterrupt
        return asked(points, generation, rounds)

    with monkeypatch.context() as patch:
        patch.setattr(ArmPoints, "all_wrote", interrupted)
        with pytest.raises(Interrupted):
            train(tmp_path, EXCHANGE)
    thread = threading.Thread(target=resume, args=(tmp_path,), daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    assert files_of(tmp_path) == files_of(exchanged)
    assert trips_of(tmp_path) == trips_of(exchanged)


@pytest.mark.slow
def test_the_run_is_reproduced_from_config_and_seeds_and_an_altered_reading_is_found(exchanged):
    run = RunFolder(exchanged / "ad_auction")
    assert reproduce_run(run, [], NoProgress()).differing == ()
    path = run.checkpoint("base", 1)
    record = checkpoint.read_record(path)
    record["arm_points"]["given"][0]["values"][2]["calm"] = 0.5
    checkpoint.rewrite_record(path, record)
    found = verify(run, Signers(None)).altered
    assert any("is not that of the seeds' readings" in line for line in found)


# --- pause, and seeds that wait in vain ----------------------------------------------------------


def test_a_pause_holds_all_seeds_and_loses_nothing(tmp_path, plain):
    with pytest.raises(Paused) as held:
        train(tmp_path, PAUSE)
    assert held.value.advice.splitlines()[0] == f"paused: {SEEDS} seeds; everything is kept."
    assert "the mean of 3 seeds of clearing_price was" in held.value.advice
    run = RunFolder(tmp_path / "ad_auction")
    assert release(run, read_experiment(run), "calm") == SEEDS
    resume(tmp_path)
    assert files_of(tmp_path) == files_of(plain)


@pytest.mark.slow
def test_seeds_whose_others_are_held_are_saved_and_go_on_later(tmp_path, plain):
    never = "breakers.never={watch: clearing_price, low: -9, action: stop, scope: arm}"
    odd = "breakers.odd={watch: clearing_price, low: .99, points: 3, action: pause}"
    with pytest.raises(Paused):
        train(tmp_path, never, odd)
    run = RunFolder(tmp_path / "ad_auction")
    release(run, read_experiment(run), "odd")
    resume(tmp_path)
    assert files_of(tmp_path) == files_of(plain)


@pytest.mark.slow
def test_a_seed_whose_agents_have_stopped_is_not_waited_for(tmp_path):
    never = "breakers.never={watch: clearing_price, low: -9, action: stop, scope: arm}"
    settings = ("agents.bidder.stop_after=150", "agents.bidder.exploration=none")
    train(tmp_path / "plain", *settings)
    train(tmp_path / "arm", never, *settings)
    assert files_of(tmp_path / "plain") == files_of(tmp_path / "arm")
    ends = [record_of(tmp_path / "arm", k)[1]["rounds"] for k in range(SEEDS)]
    assert len(set(ends)) > 1


@pytest.mark.slow
def test_a_person_can_pause_it_and_change_a_seed_that_waits(tmp_path, monkeypatch):
    """With one place and three seeds, two of them wait at a point, or for the place."""
    monkeypatch.setenv("TACIT_THREADS", "1")
    control, run = RunControl(lambda control: nullcontext(True)), RunFolder(tmp_path / "mine")
    never = "breakers.never={watch: clearing_price, low: -9, action: stop, scope: arm}"
    experiment = load("ad_auction", [*BASE, never, "train.rounds=100000"])
    thread = threading.Thread(
        target=lambda: train_experiment(experiment, run, NoProgress(), control=control)
    )
    thread.start()
    while len(control.seeds()) < SEEDS:
        time.sleep(0.01)
    people = Acts("mine", control)

    def do(act, **options):
        asked = {"id": f"{act}-{time.monotonic_ns()}", "by": "alice", "reason": "a look"}
        return people.do(ActRequest(act=act, **asked, **options))

    assert do("pause").detail == "held by: person"
    at = [seed["round"] for seed in control.screen()["seeds"].values()]
    assert max(at) - min(at) <= 1_000
    assert do("step", rounds=5_000).detail == "held by: person"
    do("rollback", seed=1, to="r0", redirect={"forget": True})
    do("resume")
    thread.join()
    assert reproduce_run(run, [], NoProgress()).differing == ()


# --- configuration -------------------------------------------------------------------------------


def test_mistakes_name_the_key():
    back = "watch: fill, low: 2, action: rollback, redirect: {partners: exchanged}"
    assert mistakes(f"breakers.calm={{{back}}}", "seeds=4") == [
        "breakers.calm.redirect.partners: exchanged needs scope: arm, as partners come from its "
        "other seeds."
    ]
    assert mistakes(f"breakers.calm={{{back}, scope: arm}}", "seeds=1") == [
        "breakers.calm.redirect.partners: exchanged needs other seeds, but seeds is 1."
    ]
    (line,) = mistakes(f"breakers.calm={{{back}, scope: run}}")
    assert line.startswith("breakers.calm.scope: ")


def test_the_card_says_over_what_it_is_judged():
    own = arm(*BASE, EXCHANGE).breakers["calm"]
    assert own.sentence == (
        "the mean over the arm's seeds of clearing_price outside 0.99.. at 3 points one after the "
        "other: rollback (at most 1), changed is partners exchanged, in every seed"
    )


def test_networks_that_wait_for_one_another_stay_in_this_process():
    networks = ("agents.bidder=ippo", "train.copies=2")
    assert goes_to_pool(arm(*networks))
    assert not goes_to_pool(arm(*BASE, EXCHANGE, *networks, "train.rounds=8192"))


def test_a_repetition_alone_is_refused(tmp_path):
    with pytest.raises(ValueError, match="needs all seeds of the arm"):
        Repetition(RunFolder(tmp_path), arm(*BASE, EXCHANGE), 0)


# --- points, without training --------------------------------------------------------------------


def test_a_point_waits_for_all_but_those_that_have_ended():
    woken = []
    points = ArmPoints(3, {2: [Given([10], [{"calm": 5.0}], {})]})
    for k in range(2):
        points.begin(k, [Given()], lambda: woken.append(1))
    assert points.state(0, 10) == WAITS
    points.give(0, 10, Reading({"calm": 1.0}, {0: 0}))
    assert points.state(0, 10) == WAITS
    before = len(woken)
    points.give(1, 10, Reading({"calm": None}, {0: 0, 5: 0}))
    assert points.state(0, 10) == COMPLETE
    assert len(woken) > before
    assert [own.values["calm"] for own in points.readings(0, 10).values()] == [1.0, None, 5.0]
    points.give(0, 20, Reading({"calm": 1.0}, {0: 0}))
    points.leave(1)
    assert points.state(0, 20) == HOPELESS
    points.end(1)
    assert points.state(0, 20) == COMPLETE
    assert list(points.readings(0, 20)) == [0]


def test_learners_are_exchanged_only_when_all_states_can_be_read():
    points = ArmPoints(2)
    for k in range(2):
        points.begin(k, [Given()], lambda: None)
        points.give(k, 10, Reading({}, {0: 0}))
    points.wrote(0, 0)
    assert points.all_wrote(0, 10) == WAITS
    points.next_generation(1)  # it has gone on, so its states are there
    assert points.all_wrote(0, 10) == COMPLETE


def test_one_that_begins_again_before_a_point_is_waited_for():
    """After an interruption: its last save is older than the reading that others know of."""
    points = ArmPoints(3)
    for k in range(2):
        points.begin(k, [Given([5, 10], [{}, {}], {0: 0})], lambda: None)
        points.wrote(k, 0)
    assert points.all_wrote(0, 10) == WAITS  # the third has not begun
    points.begin(2, [Given([5], [{}], {0: 0})], lambda: None)
    assert points.all_wrote(0, 10) == WAITS  # it has begun, at an earlier point
    points.give(2, 10, Reading({}, {0: 0}))
    assert points.all_wrote(0, 10) == WAITS
    points.wrote(2, 0)
    assert points.all_wrote(0, 10) == COMPLETE
    points.begin(2, [Given([5], [{}], {0: 0})], lambda: None)
    points.leave(2)
    assert points.all_wrote(0, 10) == HOPELESS
