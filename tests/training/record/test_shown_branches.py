"""Branches in which seats see less, or older data, or learn otherwise: trained, played again."""

from __future__ import annotations

import pytest
from support.training_fixtures import arm, small

from tacit.envs.errors import ConfigError
from tacit.oversight.signers import Signers
from tacit.training.bench.making import Wanted, make_bench
from tacit.training.bench.trainer import train_bench
from tacit.training.config.arms import arm_from_plain
from tacit.training.record.replay import SeedReplay, differing_arrays
from tacit.training.record.reproduction import reproduce_run
from tacit.training.record.selection import plan_deals, produce
from tacit.training.record.verification import EVERY, verify
from tacit.training.runs import branches
from tacit.training.runs.progress import NoProgress
from tacit.training.storage import checkpoint
from tacit.training.storage.keyframes import read_keyframes
from tacit.training.storage.load_run import learned_group, load_run, read_experiment, trained_arm
from tacit.training.studies.drill import EXACT, IN_FORCE, drill

SETTINGS = (
    "market.prices=5", "train.evaluate_every=1000", "train.rounds=8000", "train.measure_last=2000",
    "seeds=1",
)  # fmt: skip
# Every reading is outside: it goes back from round 2,000 to 1,000, and is stopped at 3,000.
BREAKER = "breakers.data={{watch: price, high: 0, points: 2, action: rollback, redirect: {}}}"
REDIRECTS_TRIED = {"hidden": "{memory: off, updates: synchronous}", "older": "{rivals_data: 3}"}


@pytest.fixture(scope="module", params=list(REDIRECTS_TRIED))
def run(request, tmp_path_factory):
    results = tmp_path_factory.mktemp(request.param)
    breaker = BREAKER.format(REDIRECTS_TRIED[request.param])
    small(results, *SETTINGS, breaker, config="cloud_bandwidth")
    return load_run(results / "cloud_bandwidth")


def test_every_branch_is_verified_by_playing_it_again(run):
    found = verify(run.folder, Signers(None), EVERY)
    assert found.altered == []
    trips = len(run.arms["base"].breakers)
    assert any(line.startswith("played again: ") for line in found.lines)
    assert any(
        line.startswith(f"breakers: {2 * trips} trips in the records") for line in found.lines
    )


@pytest.mark.slow
@pytest.mark.parametrize("round_", [1_000, 1_500])
def test_a_bench_begins_with_what_seats_are_shown_there(run, round_, tmp_path):
    bench = make_bench(Wanted(str(run.folder.path), "base", 0, round_), tmp_path)
    own = read_experiment(bench).arms["base"]
    branch = SeedReplay(run.folder, run.arms["base"], 0, 1).arm
    assert own.market.kernels == branch.market.kernels
    assert (own.market.kernel_params == branch.market.kernel_params).all()
    train_bench(bench, None, NoProgress())
    # The run was stopped at 2,000, by readings from before the bench too; the bench goes on.
    known, record = checkpoint.load(run.folder.checkpoint("base", 0))
    assert record["rounds"] == 2_000
    assert differing_arrays(read_keyframes(bench.seed("base", 0))[2_000], known) == []
    assert verify(bench, Signers(None), EVERY).altered == []
    assert reproduce_run(bench, [], NoProgress()).differing == ()


def test_a_bench_that_hides_what_is_not_seen_is_refused(run, tmp_path):
    bench = make_bench(Wanted(str(run.folder.path), "base", 0, 1_500), tmp_path)
    plain = read_experiment(bench).arms["base"].plain
    altered = {**plain, "bench": {**plain["bench"], "hidden": {"provider_0": ["x"]}}}
    with pytest.raises(
        ConfigError, match=r"bench\.hidden\.provider_0: cloud_bandwidth has no such"
    ):
        arm_from_plain("base", altered)


def test_replays_and_deals_show_what_seats_were_shown(run):
    own = run.arms["base"]
    replay = SeedReplay(run.folder, own, 0, 1)
    replay.go_to(1_010)
    made = replay.record(50)
    shown, prices = made.observations[:, 0, 0], made.actions[:, 0, 0]
    deals = produce(plan_deals(run.folder, own, [0], (1_010, 1_060), 1))
    seen = deals["provider_0_saw_last_price_1"]
    grid = own.market.roles[0].choices[0][0].values
    if "older" in str(run.folder.path):
        assert (shown[3:, 0] == 5 * prices[2:-1, 0] + prices[:-3, 1]).all()
        assert [seen.at(n) for n in range(3, 50)] == [grid[step] for step in prices[:47, 1]]
    else:
        assert not shown.any()
        assert {config.update for config in replay.arm.agents.values()} == {"synchronous"}
        assert {seen.at(n) for n in range(50)} == {grid[0]}


def test_who_looks_at_the_seed_sees_the_market_in_which_it_ended(run):
    own = run.arms["base"]
    ended = trained_arm(run.folder, own, 0)
    group = learned_group(run.folder, own, 0)
    assert group.market.kernels == ended.market.kernels != own.market.kernels
    assert group.rows.state.shape[1] == ended.market.state_width


# --- the drill -----------------------------------------------------------------------------------


def drilled(redirect, *settings, config="cloud_bandwidth"):
    keys = f"{{watch: price, high: 0, action: rollback, redirect: {redirect}}}"
    (row,) = drill(arm("market.prices=5", f"breakers.calm={keys}", *settings, config=config))
    return row


REDIRECTS = ["{memory: off}", "{rivals_data: none, forget: true}", "{rivals_data: 3}"]


@pytest.mark.parametrize("redirect", [*REDIRECTS, "{updates: synchronous}"])
def test_redirects_that_do_what_they_say(redirect):
    row = drilled(redirect)
    assert (row.wrong, row.round) == ({}, 400)


@pytest.mark.slow  # it compiles the loop of networks for such a market
def test_networks_see_what_is_shown():
    more = ("agents.provider=ippo", "train.copies=2", "record.keyframe_bytes=50000000")
    for redirect in ("{memory: off}", "{rivals_data: 2}"):
        assert drilled(redirect, *more).wrong == {}


@pytest.mark.parametrize("redirect", REDIRECTS)
def test_what_is_shown_in_spite_of_a_redirect_is_found(redirect, monkeypatch):
    monkeypatch.setattr(branches, "arm_in_force", lambda arm, trips: arm)
    row = drilled(redirect)
    told = "is not 3 rounds old" if "3" in redirect else "is shown what is hidden"
    assert told in row.wrong[IN_FORCE]


def test_updates_that_stay_as_they_were_are_found(monkeypatch):
    monkeypatch.setattr(branches, "arm_in_force", lambda arm, trips: arm)
    assert drilled("{updates: synchronous}").wrong == {IN_FORCE: "agents update one action a round"}


def test_a_state_that_is_not_carried_over_exactly_is_found(monkeypatch):
    carried_over = branches.carried_over

    def nearly(market, state):
        made = carried_over(market, state)
        made["rows.observations"] = made["rows.observations"] * 0 + 7
        return made

    monkeypatch.setattr(branches, "carried_over", nearly)
    assert EXACT in drilled("{memory: off}").wrong
