"""Override and veto: the next round is played with another action, and all learn from that."""

from __future__ import annotations

import pytest
from support.acts.held_run import BASE, FREE, held_run
from support.training_fixtures import arm

from tacit.agents.tabular.recording import build_recording
from tacit.envs.engine.game_arrays import build_game
from tacit.envs.errors import ConfigError
from tacit.oversight.signers import Signers
from tacit.training.acts.forcing import ForcedAction, forced_action, play_forced
from tacit.training.record.deals import deal_name
from tacit.training.record.persons_acts import ordered_actions
from tacit.training.record.replay import SeedReplay, differing_arrays
from tacit.training.record.selection import plan_deals, produce
from tacit.training.record.verification import EVERY, verify
from tacit.training.record.why import explain
from tacit.training.show.why_text import why_lines
from tacit.training.storage import checkpoint

LOW = {"seed": 0, "seat": "bidder_0", "action": "bid 0.05"}
TENDER = (
    "train.rounds=2000", "train.evaluate_every=500", "train.measure_last=500", "seeds=1",
    "market.counters=false",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Bidder 0 bids .05 in round 2,500, and bidder 1 as well in round 2,600."""
    with held_run(tmp_path_factory.mktemp("overridden")) as run:
        run.step(2_500)
        run.first = run.do("override", **LOW)
        run.step(100)
        run.do("override", **LOW)
        run.do("override", **{**LOW, "seat": "bidder_1"})
        run.step(1)
    return run


def test_everybody_learns_from_what_was_really_played(run):
    """The same computed without a run, by a recording in which the actions are forced."""
    own = arm(*BASE)
    group, game = own.group(0), build_game(own.market, own.kpi)
    while group.rounds < 12_000:
        forced = {2_500: (0,), 2_600: (0, 1)}.get(group.rounds, ())
        recording = build_recording(game, group.rows, 1) if forced else None
        for seat in forced:
            recording.forced[0, 0, 0, seat] = 0
        until = [r for r in (2_500, 2_600) if r > group.rounds]
        ahead = min([1_000 - group.rounds % 1_000, *(r - group.rounds for r in until)])
        group.run(1 if forced else ahead, recording)
        if group.rounds % 1_000 == 0:
            group.read()
    arrays, record = checkpoint.load(run.run.checkpoint("base", 0))
    assert differing_arrays(arrays, group.state()) == []
    assert [(f["round"], f["seat_name"], f["did"]) for f in record["forced"]] == [
        (2_500, "bidder_0", {"bid": 0.05}),
        (2_600, "bidder_0", {"bid": 0.05}),
        (2_600, "bidder_1", {"bid": 0.05}),
    ]


def test_the_answer_says_what_the_deal_would_have_been(run):
    (change,) = run.first.changes
    assert (change["branch"], change["round"], change["copy"]) == (0, 2_500, 0)
    before, after = run.first.preview
    assert before.startswith("as it would be: bidder_0 bids")
    assert after.startswith("as ordered: bidder_0 bids 0.05")
    assert f"instead of bid {change['instead_of']['bid']}" in run.first.detail


@pytest.mark.slow
def test_deals_why_and_verification_play_the_ordered_action(run):
    folder, own = run.run, arm(*BASE)
    deals = produce(plan_deals(folder, own, [0], (2_499, 2_602)))
    bids = deals["bidder_0_did_bid"].values
    assert (bids[1], bids[101], deals["bidder_1_did_bid"].values[101]) == (0.05, 0.05, 0.05)
    told = explain(SeedReplay(folder, own, 0), deal_name("s0/b0/c0/r2500"))
    assert told.lines[0].startswith("bidder_0 bids 0.05")
    assert [d.ordered_by for d in told.decisions] == ["alice", None]
    words = "\n".join(why_lines(told))
    assert "  alice ordered this in place of what it would have done.\n" in words
    assert "exploring." not in words.partition("bidder_1:")[0]
    both = ["bidder_0's action was ordered by alice", "bidder_1's action was ordered by alice"]
    assert ordered_actions(folder, own, 0) == {(0, 2_500, 0): both[:1], (0, 2_600, 0): both}
    found = verify(folder, Signers(None), EVERY)
    assert found.altered == []
    assert "people: 3 changes in the records, looked up in the ledger" in found.lines


def test_the_later_of_two_orders_for_one_decision_is_played(tmp_path):
    with held_run(tmp_path) as run:
        run.step(1_500)
        run.do("override", **LOW)
        run.do("override", **{**LOW, "action": "bid 0.9"})
        run.step(1)
    _, record = checkpoint.load(run.run.checkpoint("base", 0))
    assert [f["did"] for f in record["forced"]] == [{"bid": 0.9}]
    assert verify(run.run, Signers(None)).altered == []


def test_a_branch_voids_what_was_ordered(tmp_path):
    with held_run(tmp_path) as run:
        run.step(1_500)
        run.do("override", **LOW)
        run.do("reweight", redirect=FREE)
        run.step(1)
    _, record = checkpoint.load(run.run.checkpoint("base", 0))
    assert "forced" not in record
    assert verify(run.run, Signers(None), EVERY).altered == []


def test_a_veto_is_the_market_s_own_way_without_a_deal(tmp_path):
    with held_run(tmp_path, config="procurement", base=TENDER) as run:
        run.step(700)
        done = run.do("veto", seed=0, seat="buyer_0")
        assert done.changes[0]["did"] == {"response": "walk"}
        run.step(1)
        assert "supplier has no action" in run.refused("veto", seed=0, seat="supplier_0")
    assert verify(run.run, Signers(None), EVERY).altered == []


REFUSED = [
    ("override", {**LOW, "seat": "bider_0"}, "seat: unknown 'bider_0'. Did you mean 'bidder_0'"),
    ("override", {**LOW, "action": "price 0.4"}, "action: unknown part 'price' of bidder_0"),
    ("override", {**LOW, "action": "bid 0.4, bid 0.5"}, "action: names a part twice"),
    ("override", {**LOW, "action": "bid 0.41"}, "bid: 0.41 is not one of 0.05"),
    ("override", {**LOW, "copy": 2}, "copy: arm base has copies 0 to 0, got 2"),
    ("override", {**LOW, "branch": 1}, "on branch 0 by now"),
    (
        "veto",
        {"seed": 0, "seat": "bidder_0"},
        "in ad_auction a bidder has no action without a deal",
    ),
]


def test_refused_whole(tmp_path):
    with held_run(tmp_path) as run:
        run.step(1_500)
        for act, options, line in REFUSED:
            assert line in run.refused(act, **options)
        run.do("resume")
        assert "is not held" in run.refused("override", **LOW)


def test_no_record_can_order_what_is_not_legal():
    own = arm(*BASE)
    group = own.group(0)
    before = group.state()
    for wrong in ((0, 0, 0, 0, 2, 1), (0, 0, 0, 1, 0, 1), (0, 0, 5, 0, 0, 1), (0, 0, 0, 0, 0, 99)):
        with pytest.raises(ConfigError, match="cannot be ordered"):
            play_forced(group, own, [ForcedAction(*wrong)])
    assert differing_arrays(group.state(), before) == []
    for change in ({}, {"branch": 0, "round": 0, "copy": 0, "phase": 0, "seat": 0, "action": -1}):
        with pytest.raises(ConfigError, match="act None"):
            forced_action(change)
