"""What the page reads of a repetition that is held, beside the same one at its end."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.attend.half_trained import SETTINGS, half_trained, trained

from tacit.envs.errors import ConfigError
from tacit.training.attend.reading import last_deals as deals_module
from tacit.training.attend.reading.last_deals import last_deals, why
from tacit.training.attend.reading.saved_seed import saved_seed
from tacit.training.attend.reading.so_far import record_so_far, verdict_so_far
from tacit.training.attend.reading.standing import standing_of
from tacit.training.attend.standings import Standings
from tacit.training.board.event_file import EventFile
from tacit.training.board.read_scalars import last_scalars, read_scalars
from tacit.training.record.deals import in_words, row_names
from tacit.training.record.selection import plan_deals, produce
from tacit.training.storage import checkpoint
from tacit.training.storage.run_folder import RunFolder

HELD = 4_321  # rounds, between two evaluation points
WITHOUT = tuple(word for word in SETTINGS if not word.startswith("breakers"))


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """A repetition that was rolled back at round 3,000 to round 2,000, and is held later on."""
    run = RunFolder(tmp_path_factory.mktemp("held"))
    return run, half_trained(run, HELD)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    run = RunFolder(tmp_path_factory.mktemp("whole"))
    return run, trained(run)


def standing(run, arm):
    return standing_of(saved_seed(run, arm, 0))


# --- how it stands -------------------------------------------------------------------------------


def test_a_breaker_s_reading_band_and_distance(tmp_path):
    run = RunFolder(tmp_path)
    arm = half_trained(run, 2_500, branch=0)
    (breaker,) = standing(run, arm)["breakers"]
    last = read_scalars(run.seed("base", 0), {"measure/market/clearing_price"})
    reading = last["measure/market/clearing_price", 2_000]
    assert breaker["value"] == pytest.approx(reading, rel=1e-6)
    assert breaker["distance"] == pytest.approx(reading - 0.99, rel=1e-6)
    assert (breaker["band"], breaker["outside"], breaker["needed"]) == ("0.99..", 2, 3)
    assert (breaker["trips"], breaker["holds"]) == (0, False)


def test_after_a_rollback_the_branch_that_was_left_is_counted_and_not_current(held):
    run, arm = held
    found = standing(run, arm)
    assert (found["round"], found["read_at"], found["branch"]) == (HELD, 4_000, 1)
    assert found["branches"] == [
        {"branch": 0, "from": None, "start": 0, "end": 3_000},
        {"branch": 1, "from": 0, "start": 2_000, "end": HELD},
    ]
    (trip,) = found["trips"]
    assert (trip["branch"], trip["round"], trip["to"], trip["into"]) == (0, 3_000, 2_000, 1)
    assert "breaker calm: clearing_price was" in trip["text"]
    (left,) = found["left"]
    assert (left["branch"], left["points"]) == (0, 1)
    assert left["headline"] == [[3_000, left["last"]["clearing_price"]]]
    assert found["breakers"][0]["value"] != left["last"]["clearing_price"]
    assert found["kept"] == [[0, 1_000], [0, 2_000], [0, 3_000], [1, 3_000], [1, 4_000]]
    assert found["weights"] == {"bidder": {"profit": 1.0, "price_change": 0.0}}
    json.dumps(found, allow_nan=False)


def test_who_earns_what_and_what_the_kpi_paid(held):
    """Under the redirect the KPI is the profit alone, so both are the same up to float32."""
    run, arm = held
    (found,) = [own for _, own in Standings(run, {"base": arm}).changed([])]
    for seat in found["seats"]:
        assert seat["what"] == "profit"
        assert seat["paid"] == pytest.approx(seat["earned"], abs=1e-6)
    measures = saved_seed(run, arm, 0).points[-1][1]
    assert [seat["earned"] for seat in found["seats"]] == measures[:2, 0].tolist()


def test_claims_against_truth(tmp_path):
    run = RunFolder(tmp_path)
    words = ("train.rounds=4000", "train.measure_last=1000", "train.evaluate_every=500", "seeds=1")
    arm = half_trained(run, 1_200, 0, words, config="overpromise")
    found = standing(run, arm)
    assert {claim["seat"] for claim in found["claims"]} == {"supplier_0", "supplier_1"}
    measures = saved_seed(run, arm, 0).points[-1][1]
    for claim in found["claims"]:
        column, seat = arm.market.columns[claim["measure"]], arm.market.seat(claim["seat"])
        assert claim["value"] == measures[seat.index, column]
    assert {"promise"} <= {claim["says"] for claim in found["claims"]}


def test_the_last_figures_of_quick_probes(tmp_path):
    run = RunFolder(tmp_path)
    words = ("train.rounds=4000", "train.measure_last=1000", "train.evaluate_every=500", "seeds=1")
    arm = half_trained(run, 1_200, 0, words, config="alliance", arms=["w_1"])
    saved = saved_seed(run, arm, 0)
    assert saved.curve["rounds"] == [500, 1_000]
    for name, value in standing_of(saved)["figures"].items():
        assert value == saved.curve["figures"][name][-1]
    assert "winner_share" not in standing_of(saved)["figures"]  # the market's own, no probe's
    assert any(name.startswith("weight/") for name in standing_of(saved)["figures"])


def test_a_finished_repetition_is_told_by_its_record(whole):
    run, arm = whole
    found = standing(run, arm)
    assert (found["ended"], found["round"], found["read_at"]) == (True, 5_000, 5_000)
    measures = checkpoint.read_record(run.checkpoint("base", 0))["measures"]
    assert found["breakers"][0]["value"] == measures["clearing_price"]
    assert [s["earned"] for s in found["seats"]] == [
        measures["profit/bidder_0"], measures["profit/bidder_1"],
    ]  # fmt: skip


def test_nothing_saved_and_what_is_not_of_the_arm(tmp_path, held):
    run, _ = held
    assert saved_seed(RunFolder(tmp_path), held[1], 0) is None
    other = half_trained(RunFolder(tmp_path), 100, 0, WITHOUT)
    with pytest.raises(ConfigError, match="of another configuration"):
        saved_seed(run, other, 0)
    ((name, told),) = Standings(run, {"base": other}).changed([])
    assert name == "base/s0"
    assert "of another configuration" in told["mistake"]


def test_a_repetition_is_told_again_only_when_it_was_saved_again(tmp_path):
    run = RunFolder(tmp_path)
    arm = half_trained(run, 1_500, branch=0)
    standings = Standings(run, {"base": arm})
    assert [own["round"] for _, own in standings.changed(["base/s0", "none/s3", "odd"])] == [1_500]
    assert list(standings.changed(["base/s0"])) == []
    half_trained(run, 2_500, branch=0)
    assert [own["round"] for _, own in standings.changed(["base/s0"])] == [2_500]
    trained(run)
    assert [own["ended"] for _, own in standings.changed(["base/s0"])] == [True]
    assert list(standings.changed([])) == []


# --- deals, and why ------------------------------------------------------------------------------


def test_the_last_deals_are_those_of_the_run_at_its_end(held, whole):
    run, arm = held
    found = last_deals(run, arm, 0, 4)
    assert (found["round"], found["branch"], found["doubt"]) == (HELD, 1, None)
    deals = produce(plan_deals(*whole, [0], (HELD - 4, HELD)))
    names = [str(name) for name in row_names(deals)]
    assert names == [f"s0/b1/c0/r{at}" for at in range(HELD - 4, HELD)]
    assert [deal["name"] for deal in found["deals"]] == names[::-1]
    words = [in_words(whole[1], deals, row) for row in range(4)]
    assert [deal["lines"] for deal in found["deals"]] == words[::-1]
    harm = deals["harm"].values.tolist()
    assert [deal["harm"] for deal in found["deals"]] == harm[::-1]


def test_where_nobody_learned_on_the_same_deals_are_told_again(held):
    assert last_deals(*held, 0, 3) == last_deals(*held, 0, 3)


def test_why_a_deal_was_done_also_in_a_branch_that_was_left(held, whole):
    run, arm = held
    for deal in (f"s0/b1/c0/r{HELD - 1}", "s0/b0/c0/r2500"):
        found = why(run, arm, deal)
        assert found["lines"][0].startswith(f"{deal} of arm base")
        assert found["doubt"] is None
        assert found["lines"][1:] == why(*whole, deal)["lines"][1:]


def test_deals_that_are_not_there(held):
    run, arm = held
    for deal, text in (
        ("s0/b1/c0/r4321", "does not exist"),
        ("s0/b2/c0/r1", "there is no branch 2"),
        ("s7/b0/c0/r1", "has seeds 0 to 0"),
        ("<b>", "must be like"),
        ("s0/e/c0/r1", "evaluation"),
    ):
        with pytest.raises(ConfigError, match=text):
            why(run, arm, deal)


def test_a_replay_that_takes_long_is_not_begun(held, monkeypatch):
    monkeypatch.setattr(deals_module, "MOST_SECONDS", 0.0)
    with pytest.raises(ConfigError, match=r"takes about 1 seconds, more than the 0 that the page"):
        last_deals(*held, 0, 3)
    with pytest.raises(ConfigError, match="takes about"):
        why(*held, "s0/b1/c0/r2100")


def test_an_altered_save_is_doubted(held, tmp_path):
    run, arm = held
    arrays, record = checkpoint.load(run.seed("base", 0) / "partial.safetensors")
    other = RunFolder(tmp_path)
    for name in ("keyframes.safetensors",):
        path = other.seed("base", 0) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((run.seed("base", 0) / name).read_bytes())
    name = next(n for n in sorted(arrays) if n.endswith("q") and "/" not in n)
    arrays[name] = np.asarray(arrays[name]) + 0.5
    record.pop("sha256")
    checkpoint.save(other.seed("base", 0) / "partial.safetensors", arrays, record)
    assert "does not come to the state" in last_deals(other, arm, 0, 2)["doubt"]


# --- verdicts ------------------------------------------------------------------------------------


def test_the_verdict_so_far(held):
    run, arm = held
    found = verdict_so_far(run, {"base": arm}, "base")
    assert (found["seeds"], found["of"], found["rounds"]) == (1, 1, [HELD, HELD])
    assert {verdict["behaviour"] for verdict in found["verdicts"]} == {"collusion", "KPI"}
    assert all(verdict["word"].startswith("undecided") for verdict in found["verdicts"])
    missing = " ".join(line for verdict in found["verdicts"] for line in verdict["missing"])
    assert "n = 1 of the 48 seeds that a word needs" in missing
    json.dumps(found, allow_nan=False)


def test_a_record_so_far_has_the_means_of_the_last_points(held):
    run, arm = held
    record = record_so_far(run, arm, 0)
    points = saved_seed(run, arm, 0).points
    assert [count for count, _ in points] == [1_000] * 4
    price = arm.market.columns["clearing_price"]
    expected = float(np.mean([measures[-1, price] for _, measures in points]))
    assert record["measures"]["clearing_price"] == pytest.approx(expected, rel=1e-12)
    assert record["probes"]


def test_of_a_finished_repetition_it_is_the_record(whole):
    run, arm = whole
    assert record_so_far(run, arm, 0) == checkpoint.read_record(run.checkpoint("base", 0))


def test_there_is_no_verdict_before_the_first_point(tmp_path):
    arm = half_trained(RunFolder(tmp_path), 500, branch=0)
    with pytest.raises(ConfigError, match="no seed of arm base has come to an evaluation point"):
        verdict_so_far(RunFolder(tmp_path), {"base": arm}, "base")


# --- event files ---------------------------------------------------------------------------------


def test_the_scalars_of_the_last_point_of_a_file_that_is_being_written(tmp_path):
    assert last_scalars(tmp_path, 20, "reward/") == {}
    with EventFile(tmp_path) as events:
        for step in (10, 20, 30):
            events.scalars(step, {"reward/a": step / 4, "other": 1.0})
        events.text("a note", "of step 0")
    path = events.path
    assert last_scalars(tmp_path, 20, "reward/") == {"a": 5.0}
    assert last_scalars(tmp_path, 25, "reward/") == {}
    path.write_bytes(path.read_bytes()[:-3])
    assert last_scalars(tmp_path, 30, "reward/") == {"a": 7.5}
    path.write_bytes(b"no events" * 9)
    assert last_scalars(tmp_path, 30, "reward/") == {}
