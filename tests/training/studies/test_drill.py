"""The drill finds breakers that do what they say, and each way in which one may not."""

from __future__ import annotations

import json

import pytest
from support.terminal import Terminal, mistake_lines
from support.training_fixtures import arm, write

from tacit.agents.tabular.group import TabularGroup
from tacit.oversight import breakers as rule
from tacit.training.runs import branches, breakers, seed_run
from tacit.training.storage.keyframes import Keyframes
from tacit.training.studies.drill import EXACT, IN_FORCE, LEDGER_FIRST, ROUND, drill

WATCH = "watch: clearing_price, low: .1"
KPI = "kpi.bidder.price_change=-1"
ZERO = "redirect: {kpi: {bidder: {price_change: 0}}}"
STOP, PAUSE = f"{{{WATCH}, action: stop, points: 2}}", f"{{{WATCH}, action: pause}}"
BACK = f"{{{WATCH}, action: rollback, to: r9000, {ZERO}}}"


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


def drilled(keys, *settings, config="ad_auction"):
    """The only row of a configuration with one breaker."""
    (row,) = drill(arm(KPI, f"breakers.calm={keys}", *settings, config=config))
    return row


# --- what holds ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "tripped"),
    [
        (STOP, 600),
        (PAUSE, 400),
        (BACK, 400),
        (f"{{{WATCH}, action: rollback, points: 3, redirect: none}}", 800),
        (f"{{{WATCH}, action: rollback, redirect: {{forget: true}}}}", 400),
        (f"{{{WATCH}, action: rollback, redirect: {{fresh_stream: true}}}}", 400),
        (f"{{{WATCH}, action: rollback, redirect: {{market: {{price_mix: 1}}}}}}", 400),
        (
            f"{{{WATCH}, action: rollback, times: 4, redirect: {{market: {{price_mix: 1}}, "
            "kpi: {bidder_1: {profit: 2}}, forget: true, fresh_stream: true}}",
            400,
        ),
    ],
)
def test_breakers_that_do_what_they_say(keys, tripped):
    row = drilled(keys)
    assert (row.wrong, row.round) == ({}, tripped)


SB3 = "{name: sb3, rounds_per_update: 64, kwargs: {n_epochs: 1}}"
ARM = f"{WATCH}, scope: arm"
EXCHANGE = f"{{{ARM}, action: rollback, redirect: {{partners: exchanged}}}}"


@pytest.mark.parametrize(
    ("keys", "tripped"),
    [
        (f"{{{ARM}, action: stop, points: 2}}", 600), (f"{{{ARM}, action: pause}}", 400),
        (f"{{{ARM}, action: rollback, {ZERO}}}", 400), (EXCHANGE, 400),
        (f"{{{ARM}, action: rollback, redirect: {{partners: exchanged, forget: true}}}}", 400),
    ],
)  # fmt: skip
def test_breakers_over_an_arm_do_what_they_say_in_every_seed(keys, tripped):
    row = drilled(keys, "seeds=3")
    assert (row.wrong, row.round) == ({}, tripped)


def test_partners_that_stay_are_found(monkeypatch):
    monkeypatch.setattr(branches, "exchanged", lambda run, arm, group, trip, state: state)
    row = drilled(EXCHANGE, "seeds=3")
    assert row.wrong[IN_FORCE] == "seed 0: the learner of bidder_1 is not that of seed 1"
    assert row.wrong[EXACT].startswith("seed 0: the branch does not begin with the kept state")


@pytest.mark.slow
@pytest.mark.parametrize("agent", ["ippo", "idqn", SB3])
def test_networks_are_exchanged_as_well(agent):
    more = (f"agents.bidder={agent}", "train.copies=2", "record.keyframe_bytes=50000000", "seeds=2")
    assert drilled(EXCHANGE, *more).wrong == {}


@pytest.mark.slow
@pytest.mark.parametrize("agent", ["ippo", "idqn", SB3])
@pytest.mark.parametrize("redirect", ["kpi: {bidder: {price_change: 0}}", "forget: true"])
def test_networks_go_back_as_well(agent, redirect):
    # A replay buffer belongs to the state, and takes more than is kept by default.
    settings = (f"agents.bidder={agent}", "train.copies=2", "record.keyframe_bytes=50000000")
    row = drilled(f"{{{WATCH}, action: rollback, redirect: {{{redirect}}}}}", *settings)
    assert row.wrong == {}


@pytest.mark.slow
def test_other_markets(tmp_path):
    keys = "{watch: late_days, low: 99, action: rollback, redirect: {fresh_stream: true}}"
    (row,) = drill(arm(f"breakers.late={keys}", config="procurement"))
    assert row.wrong == {}


def test_an_arm_that_starts_from_another_is_tried_from_the_beginning():
    experiment = {
        "market": "ad_auction",
        "arms": {
            "first": {},
            "then": {
                "train.starts_from": "first",
                "breakers": {"calm": {"watch": "fill", "low": 0, "action": "stop"}},
            },
        },
    }
    (row,) = drill(arm(config=experiment, arms=["then"]))
    assert row.wrong == {}


# --- what does not -------------------------------------------------------------------------------


def test_a_breaker_that_trips_late_is_found(monkeypatch):
    def late(streak, rounds, *rest):
        return rule.CLEAN if rounds < 300 else rule.watched(streak, rounds, *rest)

    monkeypatch.setattr(breakers, "watched", late)
    row = drilled(STOP)
    assert row.wrong[ROUND] == "tripped at round 800, not at 600"


def test_a_figure_that_is_never_read_is_found(monkeypatch):
    monkeypatch.setattr(breakers, "readings", lambda *args: {})
    row = drilled(BACK)
    assert "withheld" in row.wrong[ROUND]
    told = row.cells()
    assert (told["tripped at"], told[ROUND], told[EXACT]) == ("never", "NO", "not tried")
    checks = {"at_its_point": False, "exact": None, "redirect_in_force": None, "ledger_first": None}
    assert row.plain()["checks"] == checks


def test_a_stop_that_does_not_stop_is_found(monkeypatch):
    monkeypatch.setattr(breakers.SeedBreakers, "stopped", False)
    assert "went on" in drilled(STOP).wrong[ROUND] or "not stopped" in drilled(STOP).wrong[ROUND]


def test_a_pause_that_holds_nothing_is_found(monkeypatch):
    act = breakers.SeedBreakers.act

    def lets_go(self, repetition, report):
        act(self, repetition, report)
        self.paused = None

    monkeypatch.setattr(breakers.SeedBreakers, "act", lets_go)
    assert ROUND in drilled(PAUSE).wrong


def test_a_rollback_that_is_not_exact_is_found(monkeypatch):
    branch_from = TabularGroup.branch_from

    def nearly(self, state, forget=False):
        branch_from(self, state, forget)
        self.seed_state.q_arrays.q[7] += 1e-12

    monkeypatch.setattr(TabularGroup, "branch_from", nearly)
    row = drilled(BACK)
    assert row.wrong[EXACT].endswith("q_arrays.q")


def test_a_branch_that_goes_on_from_elsewhere_is_found(monkeypatch):
    group = breakers.SeedBreakers.group

    def another(self):
        made = group(self)
        if self.branch:
            made.seed_state.q_arrays.q[7] += 1e-9
        return made

    monkeypatch.setattr(breakers.SeedBreakers, "group", another)
    assert EXACT in drilled(BACK).wrong


def test_a_redirect_that_is_not_in_force_is_found(monkeypatch):
    monkeypatch.setattr(branches, "arm_in_force", lambda arm, trips: arm)
    row = drilled(BACK)
    assert row.wrong == {
        IN_FORCE: "the rewards of bidder_0, bidder_1 are not by the redirect's weights"
    }
    row = drilled(f"{{{WATCH}, action: rollback, redirect: {{market: {{price_mix: 1}}}}}}")
    assert row.wrong == {IN_FORCE: "its market is not the one of the redirect"}


def test_draws_that_are_made_again_are_found(monkeypatch):
    monkeypatch.setattr(branches, "stream_in_force", lambda arm, trips: 0)
    row = drilled(f"{{{WATCH}, action: rollback, redirect: {{fresh_stream: true}}}}")
    assert row.wrong == {IN_FORCE: "its draws are the ones that were made before"}


def test_values_that_are_not_forgotten_are_found(monkeypatch):
    branch_from = TabularGroup.branch_from
    monkeypatch.setattr(
        TabularGroup, "branch_from", lambda self, state, forget=False: branch_from(self, state)
    )
    row = drilled(f"{{{WATCH}, action: rollback, redirect: {{forget: true}}}}")
    assert row.wrong == {IN_FORCE: "what was learned is not forgotten"}


@pytest.mark.parametrize("keys", [STOP, PAUSE, BACK])
def test_an_act_that_is_not_recorded_first_is_found(keys, monkeypatch):
    record_act = breakers.record_act
    monkeypatch.setattr(breakers, "record_act", lambda *args, **details: None)
    assert drilled(keys).wrong[LEDGER_FIRST] == "the ledger has no such act"
    monkeypatch.setattr(breakers, "record_act", record_act)
    act = breakers.SeedBreakers.act

    def effect_first(self, repetition, report):
        entries = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(breakers, "record_act", lambda *args, **kw: entries.append((args, kw)))
            act(self, repetition, report)
        for args, details in entries:
            record_act(*args, **details)

    monkeypatch.setattr(breakers.SeedBreakers, "act", effect_first)
    wrong = drilled(keys).wrong[LEDGER_FIRST]
    assert wrong == "it had an effect before the act was written"


def test_a_budget_that_keeps_no_state_is_found():
    row = drilled(BACK, "record.keyframe_bytes=100")
    assert row.wrong[EXACT].startswith("went back to round 0, not to 200: a state has ")
    assert row.wrong[EXACT].endswith("record.keyframe_bytes is 100")


def test_nothing_of_a_drill_is_left(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    drilled(BACK)
    assert list(tmp_path.iterdir()) == []
    assert (seed_run.FIRST_STRETCH, Keyframes(0).stride) == (1_000, 1)


# --- the command ---------------------------------------------------------------------------------


def test_the_table_and_its_exit_code(tacit):
    done = tacit("drill", "ad_auction", KPI, f"breakers.calm={BACK}", f"breakers.hard={STOP}")
    assert done.code == 0
    head, first, second, last = done.out.splitlines()
    assert head.split()[:3] == ["arm", "breaker", "action"]
    assert first.split() == ["base", "calm", "rollback", "400", "yes", "yes", "yes", "yes"]
    assert second.split() == ["base", "hard", "stop", "600", "yes", "yes", "-", "yes"]
    assert last == "2 breakers did what they say"


def test_json_and_exit_code_1_where_something_is_not_so(tacit, monkeypatch):
    monkeypatch.setattr(branches, "arm_in_force", lambda arm, trips: arm)
    done = tacit("drill", "ad_auction", KPI, f"breakers.calm={BACK}", "--json")
    assert done.code == 1
    (row,) = json.loads(done.out)["breakers"]
    assert row["checks"] == {
        "at_its_point": True, "exact": True, "redirect_in_force": False, "ledger_first": True,
    }  # fmt: skip
    assert row["tripped_at"] == 400
    told = tacit("drill", "ad_auction", KPI, f"breakers.calm={BACK}")
    assert told.code == 1
    assert "WRONG  arm base, breaker calm: the rewards of bidder_0" in told.out
    assert told.out.splitlines()[-1] == "1 of 1 breaker did not hold"


def test_mistakes_end_in_exit_code_2(tacit, tmp_path):
    assert mistake_lines(tacit("drill", "ad_auction")) == [
        "breakers: no arm of ad_auction has any; there is nothing to try."
    ]
    lines = mistake_lines(tacit("drill", "ad_auction", "breakers.calm={watch: fil, low: 0}"))
    assert lines[0].startswith("breakers.calm.watch: unknown measure or quick figure 'fil'")
    path = write(tmp_path / "own.yaml", "market: ad_auction\nbreakers: {calm: 3}\n")
    assert mistake_lines(tacit("drill", path)) == ["breakers.calm: must be a table of keys, got 3."]


def test_keys_of_breakers_are_listed(tacit):
    done = tacit("list", "breakers")
    assert done.code == 0
    for key in ("breakers.NAME.watch", "breakers.NAME.redirect.fresh_stream"):
        assert key in done.out
