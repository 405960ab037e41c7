"""Replays, deals and verification through branches: from configuration, seeds and record alone."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from support.training_fixtures import small

from tacit.envs.errors import ConfigError
from tacit.oversight import ledger
from tacit.oversight.signers import Signers
from tacit.training.outcome.probing import learned_population
from tacit.training.play import open_session
from tacit.training.record import deals as tables
from tacit.training.record.deals import deal_name, row_names
from tacit.training.record.evaluation_deals import evaluation_deals
from tacit.training.record.replay import SeedReplay
from tacit.training.record.selection import plan_deals, produce
from tacit.training.record.verification import EVERY, verify
from tacit.training.record.why import explain
from tacit.training.runs.branches import branches_in, branches_of, kept_before, path_to
from tacit.training.show.run_text import learned_policy_lines
from tacit.training.storage import checkpoint
from tacit.training.storage.atomic_files import file_hash
from tacit.training.storage.load_run import load_run
from tacit.training.storage.run_folder import RunFolder

# Rolled back at 3,000 to 2,000, in which the weight becomes 0; at 5,000 to 4,000, where draws are
# others too; stopped at 7,000.
SETTINGS = (
    "kpi.bidder.price_change=-1", "train.evaluate_every=1000", "train.rounds=12000",
    "train.measure_last=5000", "breakers.calm={watch: clearing_price, low: .99, points: 3, "
    "action: rollback, to: 1, times: 2, redirect: {kpi: {bidder: {price_change: 0}}, "
    "fresh_stream: true}}",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    results = tmp_path_factory.mktemp("branches")
    small(results, *SETTINGS)
    return load_run(results / "ad_auction")


@pytest.fixture
def copy(run, tmp_path):
    """A copy of the run that may be altered."""
    shutil.copytree(run.folder.path, tmp_path / "ad_auction")
    return RunFolder(tmp_path / "ad_auction")


def deals_of(run, rounds, branch=None, k=0):
    return produce(plan_deals(run.folder, run.arms["base"], [k], rounds, branch))


# --- after the last branch -----------------------------------------------------------------------


def test_who_looks_at_a_redirected_seed_sees_it_in_the_objective_with_which_it_ended(run):
    """The weight of price_change was -1, and is 0 since the first rollback."""
    found = evaluation_deals(run.folder, run.arms["base"], [0], 30)
    moved = found["bidder_0_kpi_price_change"].values
    profit = found["bidder_0_kpi_profit"].values
    assert (found["bidder_0_reward"].values == profit).all()
    assert moved.shape == profit.shape
    told = list(learned_policy_lines(run.folder, "base", "bidder_0", 0))
    assert told[1].strip().startswith("bidder_0 is paid 1 x its own profit; monitored at weight 0")
    session = open_session(run, "bidder_0", rounds=1)
    assert session.arm.kpi["bidder_0"]["price_change"].weight == 0.0
    population = learned_population(run.folder, run.arms["base"], 0)
    assert population.kpi["bidder_0"]["price_change"].weight == 0.0


# --- the tree of branches ------------------------------------------------------------------------


def trip(round_, to, of=0):
    return {"breaker": "calm", "action": "rollback", "round": round_, "to": to, "from": of}


def test_the_rounds_that_led_to_the_end_of_a_branch():
    branches = branches_of([trip(30, 20), trip(50, 40, 1), trip(60, 10, 0)])
    assert [(b.parent, b.start, b.end) for b in branches] == [
        (None, 0, 30), (0, 20, 50), (1, 40, 60), (0, 10, None),
    ]  # fmt: skip
    assert path_to(branches, 0, 30) == [(0, 0, 30)]
    assert path_to(branches, 2, 60) == [(0, 0, 20), (1, 20, 40), (2, 40, 60)]
    assert path_to(branches, 3, 99) == [(0, 0, 10), (3, 10, 99)]
    assert path_to(branches, 2, 15) == [(0, 0, 15)]


def test_a_branch_from_the_very_beginning_has_no_past():
    branches = branches_of([trip(30, 0)])
    assert path_to(branches, 1, 50) == [(1, 0, 50)]
    assert kept_before("nowhere", branches, [10, 20], 20) == {0: 0, 10: 1}


def test_trips_of_a_file_that_are_none_are_refused(run):
    arm = run.arms["base"]
    for trips in (
        [{"action": "rollback"}],
        [trip(10, 20)],
        [trip(30, 20), trip(25, 22, 7)],
        [{**trip(30, 20), "breaker": "other"}],
        [{**trip(30, 20), "to": "x"}],
        [trip(30, 20, -1)],
        [trip(30, 20, 1)],
        [trip(30, 20, True)],
        [trip(30, 20), trip(50, 40, "../../elsewhere")],
        [trip(30, 1.5)],
        [7],
    ):
        with pytest.raises(ConfigError, match="its trips"):
            branches_in(trips, arm, "checkpoint.json")


# --- replays and deals ---------------------------------------------------------------------------


def test_every_branch_is_played_again_bit_for_bit(run):
    arm = run.arms["base"]
    for branch, (first, end, weight) in enumerate(
        [(0, 3_000, -1), (2_000, 5_000, 0), (4_000, 7_000, 0)]
    ):
        replay = SeedReplay(run.folder, arm, 1, branch)
        assert (replay.first, replay.end, replay.round) == (first, end, first)
        assert replay.arm.kpi["bidder_0"]["price_change"].weight == weight
        for start, stop in replay.intervals():
            assert replay.differing(start, stop) == []
        with pytest.raises(ConfigError, match="branch"):
            replay.go_to(end + 1)
        if first:
            with pytest.raises(ConfigError, match=f"from round {first:,} to {end:,}"):
                replay.go_to(first - 1)
    with pytest.raises(ConfigError, match="there is no branch 3"):
        SeedReplay(run.folder, arm, 1, 3)
    assert SeedReplay(run.folder, arm, 1).branch == 2


def test_deals_are_named_by_the_branch_that_played_them(run):
    found = deals_of(run, (1_999, 4_002))
    names = list(row_names(found))
    assert str(names[0]) == "s0/b0/c0/r1999"
    assert [str(name) for name in names[1:3]] == ["s0/b1/c0/r2000", "s0/b1/c0/r2001"]
    assert str(names[-1]) == "s0/b2/c0/r4001"
    assert [name.round for name in names] == list(range(1_999, 4_002))


def test_rounds_of_a_branch_that_was_left_can_be_asked_for(run):
    left, live = deals_of(run, (2_000, 3_000), 0), deals_of(run, (2_000, 3_000))
    assert {name.branch for name in row_names(left)} == {0}
    assert {name.branch for name in row_names(live)} == {1}
    # Other draws: the same agents, with the same weights of Q, did other things.
    assert not np.array_equal(left["bidder_0_did_bid"].values, live["bidder_0_did_bid"].values)
    record = checkpoint.read_record(run.folder.checkpoint("base", 0))
    assert left["market_clearing_price"].values.mean() == pytest.approx(
        record["trips"][0]["value"], rel=1e-9
    )
    with pytest.raises(ConfigError, match="--branch: seed 0 of arm base has branches 0 to 2"):
        deals_of(run, None, 5)
    assert tables.size(deals_of(run, None)) == 1_000


def test_why_is_told_of_deals_of_every_branch(run):
    arm = run.arms["base"]
    for text, pays in (("s0/b0/c0/r2500", True), ("s0/b1/c0/r2500", False)):
        deal = deal_name(text)
        found = explain(SeedReplay(run.folder, arm, deal.seed, deal.branch), deal)
        weights = found.arm.kpi["bidder_0"]["price_change"].weight
        assert (weights != 0) is pays
    deal = deal_name("s0/b1/c0/r1999")
    with pytest.raises(ConfigError, match="branch 1 of seed 0 of arm base has rounds 2,000 to"):
        explain(SeedReplay(run.folder, arm, 0, 1), deal)


# --- verification --------------------------------------------------------------------------------


def test_a_run_with_branches_is_verified_by_playing_all_of_them(run):
    found = verify(run.folder, Signers(None), EVERY)
    assert found.altered == []
    # 3 branches a seed, 3 + 3 + 3 intervals of 1,000 rounds, 2 seeds.
    assert any(line.startswith("played again: 18 of 18 intervals, 18,000") for line in found.lines)
    assert "breakers: 6 trips in the records, looked up in the ledger" in found.lines


def seal_again(folder, record, k=0):
    """What a forger would do: a record whose seal and hashes fit."""
    checkpoint.rewrite_record(folder.checkpoint("base", k), record)


def test_a_state_of_a_branch_that_was_altered_is_found_by_playing(copy):
    seed = copy.seed("base", 0)
    path = seed / "keyframes.b1.safetensors"
    arrays = load_file(path)
    arrays["4000/q_arrays.q"][3] += 1e-9
    save_file(arrays, path)
    record = checkpoint.read_record(copy.checkpoint("base", 0))
    record["keyframes_sha256"][path.name] = file_hash(path)
    seal_again(copy, record)
    found = verify(copy, Signers(None), EVERY)
    assert any("keyframes.b1.safetensors: the state after 4,000" in line for line in found.altered)
    # What the next branch began with is that state.
    assert any("does not follow from the altered one" in line for line in found.altered)


def test_a_trip_that_was_altered_is_not_in_the_ledger(copy):
    record = checkpoint.read_record(copy.checkpoint("base", 0))
    record["trips"][0]["value"] = 0.5
    seal_again(copy, record)
    found = verify(copy, Signers(None))
    assert any("the ledger has no act for the trip of breaker calm" in x for x in found.altered)


def test_a_rollback_that_was_left_out_is_found_by_playing(copy):
    record = checkpoint.read_record(copy.checkpoint("base", 0))
    record["trips"] = record["trips"][1:]
    record["trips"][0]["from"] = 0
    seal_again(copy, record)
    found = verify(copy, Signers(None), EVERY)
    assert found.altered


def test_the_redirect_is_the_configuration_s_not_the_record_s(copy):
    """Another redirect in the record alone: the branch that is played is the configured one."""
    record = checkpoint.read_record(copy.checkpoint("base", 0))
    for entry in record["trips"][:2]:
        entry["redirect"] = {"kpi": {"bidder": {"price_change": 7}}}
    seal_again(copy, record)
    found = verify(copy, Signers(None), EVERY)
    assert any("no act for the trip" in line for line in found.altered)
    assert not any("is not what rounds" in line for line in found.altered)


def test_the_ledger_of_such_a_run_is_one_chain(run):
    path = run.folder.ledger
    assert ledger.first_broken(path) is None
    told = [json.loads(line)["act"] for line in path.read_text().splitlines()]
    assert told.count("breaker tripped") == 6
