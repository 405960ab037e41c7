"""Acts from which a branch begins: what they do to a run, against the same done another way."""

from __future__ import annotations

import threading

import pytest
from support.acts.held_run import BASE, FREE, held_run
from support.training_fixtures import arm

from tacit.envs.errors import ConfigError
from tacit.oversight import ledger as ledgers
from tacit.oversight.ledger import Ledger
from tacit.training.acts.changing import targets
from tacit.training.acts.control import RunControl
from tacit.training.acts.gate import Gate
from tacit.training.acts.protocol import ActRequest
from tacit.training.acts.schedule import ACT, changes_of
from tacit.training.config.load import load
from tacit.training.record.replay import differing_arrays
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import Interrupted, train_experiment
from tacit.training.storage import checkpoint
from tacit.training.storage.keyframes import Keyframes, read_keyframes
from tacit.training.storage.load_run import trained_arm
from tacit.training.storage.run_folder import RunFolder

NONE = {"redirect": "none"}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The same run that nobody touched."""
    run = RunFolder(tmp_path_factory.mktemp("plain") / "mine")
    train_experiment(load("ad_auction", [*BASE, "seeds=2"]), run, NoProgress())
    return run


def ended(run, k=0):
    return checkpoint.load(run.checkpoint("base", k))


def changes(run):
    entries = ledgers.read(run.ledger)
    assert ledgers.first_broken(run.ledger) is None
    return [change for entry in entries for change in changes_of(entry)]


# --- what is learned from then on -----------------------------------------------------------------


@pytest.mark.slow
def test_a_reweight_goes_on_from_the_present_state_under_the_new_weight(tmp_path):
    """The same computed without a run: play, put the state under the other KPI, play on."""
    with held_run(tmp_path) as run:
        assert run.step(2_500) == {"base/s0": 2_500}
        done = run.do("reweight", redirect=FREE)
        assert done.applied
        assert done.round == {"base/s0": 2_500}  # no round is lost
        assert done.screen["seeds"]["base/s0"]["branch"] == 1
    before, after = (arm(*BASE, f"kpi.bidder.price_change={w}") for w in (-1, 0))
    group, new = before.group(0), after.group(0)
    for rounds in (1_000, 1_000, 500):
        group.run(rounds)
        if rounds == 1_000:
            group.read()
    new.branch_from(group.state())
    while new.rounds < 12_000:
        new.run(1_000 - new.rounds % 1_000)
        new.read()
    arrays, record = ended(run.run)
    assert differing_arrays(arrays, new.state()) == []
    assert [b["end"] for b in record["branches"]] == [2_500, 12_000]
    assert trained_arm(run.run, before, 0).kpi["bidder_0"]["price_change"].weight == 0


def test_a_rollback_without_a_redirect_happens_again(tmp_path, plain):
    with held_run(tmp_path) as run:
        run.step(4_321)
        done = run.do("rollback", to="-2", **NONE)
        assert "it will happen again" in done.detail
        assert done.round == {"base/s0": 3_000}
    assert differing_arrays(ended(run.run)[0], ended(plain)[0]) == []
    own = read_keyframes(run.run.seed("base", 0), 1)
    known = read_keyframes(plain.seed("base", 0))
    assert list(own) == [r for r in known if r > 3_000]
    assert all(differing_arrays(own[r], known[r]) == [] for r in own)


def test_a_person_s_rollback_is_a_breaker_s(tmp_path):
    """Tripped at 3,000, back to 2,000, under the same redirect."""
    redirect = {**FREE, "fresh_stream": True}
    breaker = {
        "watch": "clearing_price", "low": 0.99, "points": 3, "action": "rollback", "to": 1,
        "redirect": redirect,
    }  # fmt: skip
    settings = [*BASE, f"breakers.calm={breaker}"]
    other = RunFolder(tmp_path / "other")
    train_experiment(load("ad_auction", settings), other, NoProgress())
    trip = ended(other)[1]["trips"][0]
    assert (trip["round"], trip["to"]) == (3_000, 2_000)
    with held_run(tmp_path) as run:
        run.step(3_000)
        run.do("rollback", to="r2999", redirect=redirect)
    # The breaker trips no second time only because it may once: it stops the seed when it does.
    last = ended(other)[1]["rounds"]
    own = {r: s for r, s in read_keyframes(run.run.seed("base", 0), 1).items() if r < last}
    known = read_keyframes(other.seed("base", 0), 1)
    assert own
    assert all(differing_arrays(own[r], known[r]) == [] for r in own if r in known)


TRIPPED = (
    "breakers.calm={watch: clearing_price, high: 99, action: rollback, to: 2, redirect: {market: "
    "{price_mix: 0.5}}}",
    "breakers.end={watch: clearing_price, high: 99, action: stop}",
)


def test_a_breaker_that_is_tripped_by_hand_does_what_it_would_do(tmp_path):
    with held_run(tmp_path / "tripped", TRIPPED) as run:
        run.step(3_500)
        would = run.do("trip", breaker="calm", dry_run=True)
        assert not would.applied
        done = run.do("trip", breaker="calm", reason="we try it")
        assert done.applied
        assert done.act == "rollback"
        ends = "breaker: end does not roll back; what it does is the act stop."
        assert run.refused("trip", breaker="end") == ends
        assert "there is no 'clam'. Did you mean 'calm'?" in run.refused("trip", breaker="clam")
    with held_run(tmp_path / "asked", TRIPPED) as other:
        other.step(3_500)
        other.do("rollback", to="-2", redirect={"market": {"price_mix": 0.5}})
    assert differing_arrays(ended(run.run)[0], ended(other.run)[0]) == []
    (own,), (asked,) = changes(run.run), changes(other.run)
    assert own | {"reason": "", "act": ""} == asked | {"reason": "", "act": ""}
    told = [entry["reason"] for entry in ledgers.read(run.run.ledger) if "reason" in entry]
    assert "breaker calm tripped by hand: we try it" in told


def test_two_redirects_at_the_same_round_add_up(tmp_path):
    with held_run(tmp_path) as run:
        run.step(1_500)
        run.do("redirect", redirect={"market": {"reserve": 0.3}})
        run.do("reweight", redirect=FREE)
        run.step(500)
    _, record = ended(run.run)
    assert [(b["start"], b["end"]) for b in record["branches"]] == [
        (0, 1_500), (1_500, 1_500), (1_500, 12_000),
    ]  # fmt: skip
    last = trained_arm(run.run, arm(*BASE), 0)
    assert last.market.config.reserve == 0.3
    assert last.kpi["bidder_1"]["price_change"].weight == 0


def test_an_act_on_the_whole_arm_reaches_all_seeds_under_way(tmp_path):
    with held_run(tmp_path, ["seeds=2"], seeds=2) as run:
        run.step(1_200)
        done = run.do("reweight", redirect={"kpi": {"bidder_0": {"price_change": 2}}})
        assert [(c["arm"], c["seed"], c["into"]) for c in done.changes] == [
            ("base", 0, 1), ("base", 1, 1),
        ]  # fmt: skip
        assert run.do("rollback", seed=1, **NONE).changes[0]["seed"] == 1
    assert [len(ended(run.run, k)[1]["trips"]) for k in (0, 1)] == [1, 2]
    assert len([e for e in ledgers.read(run.run.ledger) if changes_of(e)]) == 2


# --- on record ------------------------------------------------------------------------------------


def test_an_act_is_in_the_ledger_before_it_takes_effect(tmp_path, monkeypatch):
    seen = []
    restart = Keyframes.write

    def watched(self, folder, branch=0):
        seen.append((ledgers.read(run.run.ledger)[-1], branch))
        restart(self, folder, branch)

    with held_run(tmp_path) as run:
        run.step(1_500)
        monkeypatch.setattr(Keyframes, "write", watched)
        run.do("reweight", redirect=FREE, by="bob", reason="prices fell")
        monkeypatch.undo()
    entry, branch = seen[-1]
    assert (entry["act"], entry["what"], entry["by"], branch) == (ACT, "reweight", "bob", 0)
    assert entry["reason"] == "prices fell"
    assert entry["screen"]["seeds"]["base/s0"]["round"] == 1_500
    (change,) = entry["changes"]
    assert change["before"] == {f"kpi.bidder_{i}.price_change": -1 for i in (0, 1)}
    assert change["after"] == {f"kpi.bidder_{i}.price_change": 0 for i in (0, 1)}
    assert (change["branch"], change["round"], change["to"], change["into"]) == (0, 1_500, 1_500, 1)
    (trip,) = ended(run.run)[1]["trips"]
    assert {"arm": "base", "seed": 0, **trip} == change


def test_people_s_changes_are_in_summary_and_table(tmp_path):
    with held_run(tmp_path) as run:
        run.step(1_500)
        run.do("reweight", redirect=FREE)
    (summary,) = run.ended
    assert summary["people"] == {"rolled_back": 0, "redirected": 1, "overridden": 0}
    assert all(v["word"] == "undecided" for v in summary["verdicts"])
    assert "people: 1 of 1 redirected" in summary["verdicts"][0]["missing"][0]


def test_a_dry_run_changes_no_bit(tmp_path, plain):
    with held_run(tmp_path) as run:
        run.step(1_234)
        done = run.do("rollback", to="r0", redirect=FREE, dry_run=True)
        assert not done.applied
        assert done.detail.startswith("would do this: base/s0: rollback by alice at round 1,234")
        run.do("override", seed=0, seat="bidder_0", action="bid 0.4", dry_run=True)
        run.do("reweight", redirect=FREE, dry_run=True)
    assert differing_arrays(ended(run.run)[0], ended(plain)[0]) == []
    assert changes(run.run) == []


# --- refusals -------------------------------------------------------------------------------------

REFUSED = [
    ("rollback", {"redirect": "none", "to": "-9"}, "to: there are 3 states to go back to, got -9"),
    ("rollback", {"redirect": "none", "to": "r2500"}, "to: must be before the present round"),
    ("rollback", {"redirect": "none", "arm": "bas"}, "arm: unknown 'bas'. Did you mean 'base'?"),
    ("rollback", {"redirect": "none", "seed": 3}, "seed: arm base has seeds 0 to 0, got 3"),
    ("rollback", {"redirect": "none", "branch": 4}, "on branch 0 by now, at round 2,500, not on 4"),
    ("rollback", {"redirect": {"kpi": {"bider": {"profit": 1}}}}, "redirect.kpi.bider: unknown"),
    ("rollback", {"redirect": {"kip": {}}}, "redirect.kip: unknown key"),
    ("reweight", {"redirect": {"kpi": {"bidder": {"revenue": 1}}}}, "bidder.revenue: is no term"),
    ("reweight", {"redirect": {"kpi": {"bidder": {"profit": "x"}}}}, "must be a finite number"),
    ("reweight", {"redirect": {"kpi": {"bidder": {"price_change": -1}}}}, "changes nothing"),
    ("redirect", {"redirect": {"market": {"bidders": 3}}}, "bidders 3 changes seats"),
    ("redirect", {"redirect": {"market": {"reserv": 3}}}, "redirect.market.reserv: unknown key"),
]


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    with held_run(tmp_path_factory.mktemp("standing")) as run:
        run.step(2_500)
        yield run


@pytest.mark.parametrize(("act", "options", "line"), REFUSED)
def test_refused_whole(standing, act, options, line):
    before = ledgers.read(standing.run.ledger)
    assert line in standing.refused(act, **options)
    assert ledgers.read(standing.run.ledger) == before
    assert standing.do("status").round == {"base/s0": 2_500}


def test_rollback_where_no_state_is_kept(tmp_path):
    with held_run(tmp_path, ["record.keyframe_bytes=0"]) as run:
        run.step(2_500)
        assert "record.keyframe_bytes is 0" in run.refused("rollback", **NONE)
        assert run.do("rollback", to="r0", **NONE).round == {"base/s0": 0}


def test_an_act_on_a_run_that_has_ended(tmp_path):
    with held_run(tmp_path) as run:
        run.do("stop")
        assert "is not training any more" in run.refused("reweight", redirect=FREE)


def test_seeds_that_an_act_does_not_reach():
    control = RunControl()
    control.arms = {"base": arm(*BASE, "seeds=4")}
    control.finished.append(("base", 2))

    def reached(**options):
        request = {"id": "x", "act": "rollback", "by": "alice", "reason": "y", **NONE, **options}
        return targets(control, ActRequest(**request))

    with control.seed(("base", 0), gate := Gate()):
        assert reached() == (
            {("base", 0): gate}, "not reached of arm base: 1 have ended, 2 have not begun",
        )  # fmt: skip
        assert reached(seed=0) == ({("base", 0): gate}, "")
        for k, line in ((2, "seed 2 of arm base has ended"), (3, "has not begun"), (4, "0 to 3")):
            with pytest.raises(ConfigError, match=line):
                reached(seed=k)
    with pytest.raises(ConfigError, match="no seed of arm base is under way"):
        reached()


@pytest.mark.parametrize("broken", [Ledger, Keyframes])
def test_a_full_disk_refuses_and_the_market_goes_on(tmp_path, plain, monkeypatch, broken):
    """Neither an act that cannot be recorded, nor one whose states cannot be kept, is done."""

    def full(*args, **options):
        raise ConfigError("No space left on device.")

    with held_run(tmp_path) as run:
        run.step(2_500)
        monkeypatch.setattr(broken, "append" if broken is Ledger else "write", full)
        assert "No space left" in run.refused("reweight", redirect=FREE)
        monkeypatch.undo()
    assert differing_arrays(ended(run.run)[0], ended(plain)[0]) == []
    assert changes(run.run) == []


def test_of_two_people_at_once_who_saw_the_same_branch_one_acts(tmp_path):
    told = []

    def act(name):
        try:
            options = {"id": name, "by": name, "branch": 0, "redirect": FREE}
            told.append(run.do("reweight", **options).applied)
        except ConfigError as error:
            told.append(" ".join(error.mistakes))

    with held_run(tmp_path) as run:
        run.step(2_500)
        people = [threading.Thread(target=act, args=(name,)) for name in ("alice", "bob")]
        for person in people:
            person.start()
        for person in people:
            person.join()
    assert len(changes(run.run)) == 1
    assert True in told
    assert any("is on branch 1 by now" in str(line) for line in told)


def test_the_same_id_is_done_once(tmp_path):
    with held_run(tmp_path) as run:
        run.step(2_500)
        first = run.do("reweight", id="once", redirect=FREE)
        assert run.do("reweight", id="once", redirect=FREE) == first
        assert len(changes(run.run)) == 1
        run.do("stop")
    assert isinstance(run.ended[0], Interrupted)
    with held_run(tmp_path) as later:
        assert "done already" in later.refused("reweight", id="once", redirect=FREE)
    assert len(ended(run.run)[1]["trips"]) == 1
