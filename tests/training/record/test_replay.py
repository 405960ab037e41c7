"""Rounds that are played again are the rounds that training played, bit for bit."""

from __future__ import annotations

import json
import shutil
from random import Random
from typing import NamedTuple

import numpy as np
import pytest
from support.training_fixtures import EVERY_POINT, InterruptAfter, small

from tacit.agents.batch.group import BatchGroup
from tacit.agents.tabular.group import TabularGroup
from tacit.agents.tabular.recording import Recording, build_recording
from tacit.envs.errors import ConfigError
from tacit.training.record.replay import SeedReplay, differing_arrays
from tacit.training.runs import partial, seed_run
from tacit.training.runs.runner import Interrupted, train
from tacit.training.storage import checkpoint
from tacit.training.storage.keyframes import NAME, Keyframes, read_keyframes
from tacit.training.storage.load_run import load_run

# Tabular with draws, looked up in a transition table, several phases and copies with networks,
# claims, networks of tacit's own: (experiment, arm, settings).
KINDS = {
    "volatility_kpi": ("second_1", ["train.rounds=20000", "train.measure_last=5000"]),
    "calvano_baseline": ("base", ["agents.provider.stop_after=3000", "train.rounds=40000",
                                  "train.measure_last=1000"]),
    "bluff_equilibrium": ("scarcity_.1", ["train.rounds=200", "train.measure_last=50",
                                          "train.copies=8"]),
    "overpromise": ("booking", ["train.rounds=4000", "train.measure_last=1000"]),
    "volatility_kpi_neural": ("second_0", ["train.rounds=600", "train.measure_last=100"]),
}  # fmt: skip
SLOW = {"bluff_equilibrium", "volatility_kpi_neural", "overpromise"}
DEALS = 200


class Played(NamedTuple):
    """What the loops of training themselves played."""

    folder: str
    name: str
    arm: str
    recordings: list[Recording]


@pytest.fixture(
    scope="module",
    params=[pytest.param(k, marks=pytest.mark.slow if k in SLOW else ()) for k in KINDS],
)
def played(request, tmp_path_factory):
    """A run of one seed, every call of its group's loop recorded as it is made."""
    name, results = request.param, tmp_path_factory.mktemp("results")
    arm, settings = KINDS[name]
    recordings = []

    def recorded(plain):
        def run(self, rounds, recording=None):
            kept = build_recording(self.seed_state.game, self.rows, rounds)
            done = plain(self, rounds, kept)
            recordings.append(kept)
            return done

        return run

    with pytest.MonkeyPatch.context() as patch:
        for group in (TabularGroup, BatchGroup):
            patch.setattr(group, "run", recorded(group.run))
        train(name, [*settings, "seeds=1"], arms=[arm], results=results)
    return Played(str(results), name, arm, recordings)


@pytest.fixture
def replay(played):
    run = load_run(played.name, played.folder)
    return SeedReplay(run.folder, run.arms[played.arm], 0)


def joined(recordings):
    """All recorded rounds end to end, by field."""
    counts = [int(r.recorded[0]) for r in recordings]
    return {
        field: np.concatenate(
            [getattr(r, field)[:n] for r, n in zip(recordings, counts, strict=True)]
        )
        for field in Recording._fields[1:]
    }


def test_random_deals_are_those_that_the_loop_played(played, replay):
    loop = joined(played.recordings)
    assert len(loop["clock"]) == replay.end
    for round_ in sorted(Random(0).sample(range(replay.end), min(DEALS, replay.end))):
        replay.go_to(round_)
        again = replay.record(1)
        for field, whole in loop.items():
            mine = getattr(again, field)[0]
            assert mine.tobytes() == whole[round_].tobytes(), (round_, field)


def test_every_interval_ends_in_the_next_state(replay):
    assert replay.intervals()[0][0] == 0
    assert replay.intervals()[-1][1] == replay.end
    for interval in replay.intervals():
        assert replay.differing(*interval) == []


def learned_array(state):
    """The name of the first network's weights, or else of the Q values."""
    return next((name for name in state if name.endswith(".parameters")), "q_arrays.q")


def test_a_weight_changed_by_a_millionth_is_found_though_all_hashes_fit(replay):
    """Whoever forges every hash cannot forge what follows from the rules."""
    first, *_ = replay.marks
    name = learned_array(replay.marks[first])
    forged = replay.marks[first][name].copy()
    forged.flat[3] += forged.dtype.type(1e-6)
    assert forged.flat[3] != replay.marks[first][name].flat[3]
    replay.marks[first] = {**replay.marks[first], name: forged}
    assert name in replay.differing(*replay.intervals()[0])


def test_arrays_of_a_state_come_in_order_of_name(replay):
    """safetensors itself gives another order in every process."""
    for state in replay.marks.values():
        assert list(state) == sorted(state)


def test_a_stretch_is_the_same_whole_or_in_parts(replay):
    replay.go_to(3)
    whole = replay.record(90)
    replay.go_to(3)
    parts = [replay.record(n) for n in (1, 60, 29)]
    for field, array in joined(parts).items():
        assert array.tobytes() == getattr(whole, field).tobytes()
    assert replay.round == 93


def test_probabilities_are_those_of_what_was_done(replay):
    """Over many rounds as often as it says; and never 0, since it was done."""
    replay.go_to(0)
    kept = replay.record(min(replay.end, 400))
    assert (kept.probabilities > 0).all()
    assert (kept.probabilities <= 1 + 1e-12).all()
    idle = kept.observations < 0
    assert (kept.actions[idle] < 0).all()
    assert (kept.probabilities[idle] == 1).all()


def test_rounds_that_were_not_trained_are_refused(replay):
    for round_ in (-1, replay.end + 1):
        with pytest.raises(ConfigError, match=f"was trained for {replay.end:,} rounds"):
            replay.go_to(round_)
    replay.go_to(replay.end)
    assert replay.record(5).recorded[0] == 0


# --- keyframes -----------------------------------------------------------------------------------


def state(size, value=0.0):
    return {"a": np.full(size, value)}


def test_every_point_is_kept_while_there_is_room_then_every_second():
    kept = Keyframes(5 * 80)
    for point in range(1, 6):
        assert kept.wants(point)
        kept.add(point, 100 * point, state(10))
    assert list(kept.states) == [100, 200, 300, 400, 500]
    kept.add(6, 600, state(10))
    assert list(kept.states) == [200, 400, 600]
    assert not kept.wants(7)
    for point in (8, 10):
        kept.add(point, 100 * point, state(10))
    kept.add(12, 1200, state(10))
    assert list(kept.states) == [400, 800, 1200]


@pytest.mark.parametrize("budget", [0, 79])
def test_a_state_that_is_too_large_is_not_kept(budget):
    kept = Keyframes(budget)
    for point in range(1, 6):
        if kept.wants(point):
            kept.add(point, point, state(10))
    assert kept.states == {}


def test_an_interrupted_repetition_keeps_the_same_states(tmp_path, monkeypatch):
    monkeypatch.setattr(partial, "EVERY", 0.0)
    monkeypatch.setattr(seed_run, "FIRST_STRETCH", 500)
    settings = [EVERY_POINT, "seeds=1", "record.keyframe_bytes=6000"]
    small(tmp_path / "whole", *settings)
    with pytest.raises(Interrupted):
        small(tmp_path / "cut", *settings, listener=InterruptAfter(20))
    saved = checkpoint.load(tmp_path / "cut/ad_auction/base/s0/partial.safetensors")[0]
    assert any(name.startswith("keyframes/") for name in saved)
    small(tmp_path / "cut", *settings)
    files = [tmp_path / x / "ad_auction/base/s0" / NAME for x in ("whole", "cut")]
    assert files[0].read_bytes() == files[1].read_bytes()
    states = read_keyframes(files[0].parent)
    assert sum(a.nbytes for s in states.values() for a in s.values()) <= 6000
    assert len(states) == 5


def test_without_keyframes_rounds_are_played_from_the_beginning(tmp_path):
    small(tmp_path, "seeds=1", "record.keyframe_bytes=0")
    run = load_run("ad_auction", tmp_path)
    assert not (run.folder.seed("base", 0) / NAME).exists()
    replay = SeedReplay(run.folder, run.arms["base"], 0)
    assert replay.intervals() == [(0, 20_000)]
    assert replay.differing(0, 20_000) == []


def test_an_altered_keyframe_is_named(tmp_path):
    small(tmp_path, "seeds=1")
    run = load_run("ad_auction", tmp_path).folder
    path = run.seed("base", 0) / NAME
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ConfigError, match="altered or removed since the seed ended") as error:
        load_run(run.path)
    assert str(path) in str(error.value)


def test_keyframes_of_another_seed_do_not_lead_to_its_end(tmp_path):
    """Even where record and seals are made to fit."""
    small(tmp_path)
    run = load_run("ad_auction", tmp_path)
    one, other = (run.folder.seed("base", k) / NAME for k in (0, 1))
    shutil.copy(other, one)
    replay = SeedReplay(run.folder, run.arms["base"], 0)
    assert replay.differing(*replay.intervals()[0])
    assert replay.differing(*replay.intervals()[-1])


def test_a_file_that_holds_no_states_is_refused(tmp_path):
    (tmp_path / NAME).write_bytes(json.dumps({"a": 1}).encode())
    with pytest.raises(ConfigError, match="holds no states that can be read"):
        read_keyframes(tmp_path)


def test_arrays_differ_by_name_type_shape_or_bit():
    one = {"a": np.zeros(3), "b": np.zeros(2), "c": np.array([0.0])}
    assert differing_arrays(one, dict(one)) == []
    assert differing_arrays(one, one | {"a": np.zeros(4)}) == ["a"]
    assert differing_arrays(one, one | {"b": np.zeros(2, np.float32)}) == ["b"]
    assert differing_arrays(one, one | {"c": np.array([-0.0])}) == ["c"]
    assert differing_arrays(one, one | {"d": np.zeros(1)}) == ["d"]


# --- what is not exactly the run -----------------------------------------------------------------


def forged(run, k=0):
    """The last keyframe of a repetition with one Q value changed; hashes do not matter here."""
    replay = SeedReplay(run.folder, run.arms["base"], k)
    last = sorted(replay.marks)[-2]
    q = replay.marks[last]["q_arrays.q"].copy()
    q[3] += 1e-6
    replay.marks[last] = {**replay.marks[last], "q_arrays.q": q}
    return replay, last


def test_a_replay_is_confirmed_by_the_state_that_follows(tmp_path):
    small(tmp_path, "seeds=1")
    run = load_run("ad_auction", tmp_path)
    replay = SeedReplay(run.folder, run.arms["base"], 0)
    for round_ in (0, 1, 19_999, 20_000):
        replay.go_to(round_)
        assert (
            replay.rounds_to_confirm(round_) == min(m for m in replay.marks if m >= round_) - round_
        )
        assert replay.confirm() is None
    replay, last = forged(run)
    replay.go_to(last + 5)
    assert replay.confirm().startswith(
        "seed 0 of arm base: played again, it does not come to the state that was kept after 20,000"
    )


def test_rounds_of_another_machine_are_said_to_be_so(tmp_path):
    small(tmp_path, "seeds=1")
    run = load_run("ad_auction", tmp_path)
    path = run.folder.checkpoint("base", 0)
    record = json.loads(path.with_suffix(".json").read_text())
    record["machine"]["flags"] = ["avx9"]
    checkpoint.rewrite_record(path, record)
    replay, last = forged(run)
    replay.go_to(last + 5)
    assert "trained with other flags" in replay.confirm()


def test_numbers_keep_their_shape_in_files(tmp_path):
    """An optimiser's step is an array without an axis; saved as `[1]` it would fit no more."""
    path = tmp_path / "checkpoint.safetensors"
    checkpoint.save(path, {"step": np.array(3.0), "row": np.zeros((2, 3)).T}, {"seed": 0})
    arrays = checkpoint.load(path)[0]
    assert arrays["step"].shape == ()
    assert arrays["row"].shape == (3, 2)
    kept = Keyframes(1_000)
    kept.add(1, 7, {"step": np.array(3.0)})
    kept.write(tmp_path)
    assert read_keyframes(tmp_path)[7]["step"].shape == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "arm", "settings"),
    [
        ("calvano_neural", "sb3", ["train.rounds=640", "train.measure_last=64"]),
        ("calvano_neural", "idqn", ["train.rounds=640", "train.measure_last=64"]),
        ("surge_priority", "uptime_.4", ["train.rounds=2000", "train.measure_last=500"]),
    ],
)
def test_other_learners_and_markets_come_to_the_states_that_were_kept(
    name, arm, settings, tmp_path
):
    train(name, [*settings, "seeds=2", "train.copies=4"], arms=[arm], results=tmp_path)
    run = load_run(name, tmp_path)
    for k in range(2):
        replay = SeedReplay(run.folder, run.arms[arm], k)
        for interval in reversed(replay.intervals()):
            assert replay.differing(*interval) == []
