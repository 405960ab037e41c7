"""Breakers and branches without training: targets, streaks, readings that are left, words."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from support.training_fixtures import arm

from tacit.oversight import ledger
from tacit.training.config.breaker_settings import BreakerConfig
from tacit.training.runs import branches, held
from tacit.training.runs.branches import Branch, branches_in, target, trip_text, trips_of
from tacit.training.runs.breakers import SeedBreakers, record_act
from tacit.training.storage.run_folder import RunFolder

WATCH = "watch: clearing_price, low: .5"
KPI = "redirect: {kpi: {bidder: {price_change: 0}}}"


def trip(round_, to=None, of=0, name="calm", action="rollback", **more):
    return {"breaker": name, "action": action, "round": round_, "to": to, "from": of, **more}


# --- where a rollback goes -----------------------------------------------------------------------

KEPT = [0, 10, 20, 30, 40]


@pytest.mark.parametrize(
    ("to", "since", "found"),
    [
        (1, 99, 40),
        (2, 99, 30),
        (5, 99, 0),
        (6, 99, 0),  # further back than there are states
        (None, 41, 40),
        (None, 40, 30),  # the state at the first point outside is not one from before
        (None, 10, 0),
        (None, 5, 0),
        ("r30", 99, 30),
        ("r29", 99, 20),
        ("r31", 5, 30),
        ("r0", 99, 0),
        ("r999", 99, 40),
    ],
)
def test_the_state_that_a_breaker_goes_back_to(to, since, found):
    breaker = BreakerConfig(watch="fill", low=1, action="rollback", to=to)
    assert target(breaker, KEPT, since) == found


@pytest.mark.parametrize(
    ("trips", "is_right"),
    [
        ([trip(30, 20)], True),
        ([trip(30, 30)], True),  # at its very end
        ([trip(30, 31)], False),
        ([trip(30, 0)], True),
        ([trip(30, -1)], False),
        ([trip(30, 20), trip(21, 20, 1)], True),
        ([trip(30, 20), trip(20, 20, 1)], True),  # redirected twice at one round
        ([trip(30, 20), trip(19, 20, 1)], False),
        ([trip(30, 20), trip(50, 40, 1), trip(60, 50, 1)], True),
        ([trip(30, 20), trip(50, 40, 1), trip(60, 51, 1)], False),  # branch 1 ended before
        ([trip(30, 20), trip(50, 20, 0), trip(60, 45, 2)], True),
        ([trip(30, 20), trip(50, 20, 2)], False),  # from itself
        ([trip(30, 20), trip(50, 20, None)], False),
    ],
)
def test_a_branch_begins_within_an_earlier_one_and_does_not_end_before_its_beginning(
    trips, is_right
):
    known = arm("kpi.bidder.price_change=-1", f"breakers.calm={{{WATCH}, action: rollback, {KPI}}}")
    if is_right:
        assert len(branches_in(trips, known, "a file")) == len(trips) + 1
        return
    with pytest.raises(ValueError, match="a file: its trips are not those of arm base"):
        branches_in(trips, known, "a file")


def test_a_branch_in_a_record_ends_where_it_was_left_or_with_the_repetition():
    for end, shown in ((None, 90), (70, 70)):
        plain = Branch(2, 1, 40, end).plain(90)
        assert plain == {"branch": 2, "from": 1, "start": 40, "end": shown}
    assert trips_of({}) == trips_of({"trips": 7}) == []
    assert trips_of({"trips": [1]}) == [1]


# --- judging -------------------------------------------------------------------------------------


def made(tmp_path, *keys, **saved):
    """The breakers `a`, `b`, ... of a repetition."""
    settings = [f"breakers.{name}={{{text}}}" for name, text in zip("abc", keys, strict=False)]
    return SeedBreakers(RunFolder(tmp_path), arm("kpi.bidder.price_change=-1", *settings), 3, saved)


def prices(own, *values):
    """Reads clearing prices at rounds 10, 20, ...; returns the scalars of each point."""
    market, found = own.arm.market, []
    for n, value in enumerate(values, 1):
        measures = np.zeros((len(market.seats) + 1, len(market.measures)))
        measures[-1, market.columns["clearing_price"]] = value
        found.append(own.read(10 * n, measures, {}))
    return found


def test_scalars_are_distances_and_a_point_inside_ends_a_streak(tmp_path):
    own = made(tmp_path, f"{WATCH}, high: .9, points: 2, action: stop", f"{WATCH}, action: pause")
    found = prices(own, 0.4)
    assert found[0] == {"breaker/a": pytest.approx(-0.1), "breaker/b": pytest.approx(-0.1)}
    assert own._due["breaker"] == "b"
    found = prices(own, 0.4, 0.8)
    assert found[1] == {"breaker/a": pytest.approx(0.1), "breaker/b": pytest.approx(0.3)}
    own = made(tmp_path, f"{WATCH}, points: 2, action: stop")
    prices(own, 0.4, 0.6, 0.4)
    assert own._due is None
    assert own.plain()["streaks"] == {"a": (1, 30)}
    prices(own, 0.3)
    assert own._due["since"] == 30  # where the streak began
    assert own.plain()["streaks"] == {"a": (0, 0)}  # after a trip it begins anew


def test_of_those_that_trip_at_one_point_the_first_by_what_it_does_acts(tmp_path):
    back = f"{WATCH}, action: rollback, {KPI}"
    pause, stop = f"{WATCH}, action: pause", f"{WATCH}, action: stop"
    for keys, action in (
        ((back, pause, stop), "stop"), ((back, pause), "pause"), ((pause, back), "pause"),
        ((stop, pause), "stop"), ((back,), "rollback"),
    ):  # fmt: skip
        own = made(tmp_path, *keys)
        prices(own, 0.1)
        assert own._due["action"] == action
    own = made(tmp_path, pause, pause)
    prices(own, 0.1)
    assert own._due["breaker"] == "a"


@pytest.mark.parametrize(("times", "done", "action"), [("2", 1, "rollback"), ("2", 2, "stop")])
def test_a_breaker_that_has_rolled_back_as_often_as_it_may_stops(times, done, action, tmp_path):
    before = [trip(9 + n, 5, n, "a") for n in range(done)]
    own = made(tmp_path, f"{WATCH}, action: rollback, times: {times}, {KPI}", trips=before)
    prices(own, 0.25)
    assert own._due == {
        "breaker": "a", "branch": done, "round": 10, "watch": "clearing_price", "value": 0.25,
        "since": 10, "band": [0.5, None], "action": action,
        **({"after_rollbacks": done} if action == "stop" else {}),
    }  # fmt: skip
    assert own.branch == done
    assert own.rounds_left() == sum(4 + n for n in range(done))
    assert not own.stopped


@pytest.mark.parametrize(("done", "is_due"), [(1, True), (2, False)])
def test_a_spent_breaker_may_ignore_what_it_reads_and_others_go_on(done, is_due, tmp_path):
    before = [trip(9 + n, 5, n, "a") for n in range(done)]
    spent = f"{WATCH}, action: rollback, times: 2, spent: ignore, {KPI}"
    own = made(tmp_path, spent, trips=before)
    prices(own, 0.25)
    assert (own._due is not None) == is_due
    own = made(tmp_path, spent, f"{WATCH}, points: 2, action: stop", trips=before)
    prices(own, 0.25, 0.25)
    assert own._due["breaker"] == "b"


def test_without_breakers_nothing_is_read_and_nothing_kept(tmp_path):
    own = made(tmp_path)
    assert prices(own, 0.1) == [{}]
    assert (own._due, own.plain(), own.record(50)) == (None, {}, {})
    stopped = made(tmp_path, f"{WATCH}, action: stop", trips=[trip(9, name="a", action="stop")])
    assert stopped.stopped
    assert stopped.record(50)["branches"] == [{"branch": 0, "from": None, "start": 0, "end": 50}]


def test_an_act_that_is_recorded_already_is_not_recorded_again(tmp_path):
    run = RunFolder(tmp_path)
    for seed in (0, 0, 1, 0):
        record_act(run, "breaker tripped", arm="base", seed=seed)
    record_act(run, "breaker released", arm="base", seed=0)
    found = [(entry["act"], entry["seed"]) for entry in ledger.read(run.ledger)]
    assert found == [("breaker tripped", 0), ("breaker tripped", 1), ("breaker released", 0)]


def test_a_branch_begins_behind_the_state_that_it_goes_back_to(tmp_path, monkeypatch):
    """Events of later rounds are written anew; rounds of all copies are taken back."""
    own = made(tmp_path, f"{WATCH}, action: rollback, {KPI}", trips=[trip(30, 10, name="a")])
    monkeypatch.setattr(SeedBreakers, "group", lambda self: "the group")
    restarted, told = [], []
    repetition = SimpleNamespace(
        points=[(10, None), (10, None)],
        curve={},
        events=SimpleNamespace(restart=restarted.append),
        arm=own.arm,
    )
    own.arm = own._configured
    own._begin_branch(repetition, own.trips[0], told.append)
    assert restarted == [11]
    assert (repetition.group, repetition.points) == ("the group", [(10, None)])
    assert [(p.rounds, p.skipped) for p in told] == [(-20, True)]
    assert own.arm.kpi["bidder_0"]["price_change"].weight == 0
    assert own.plain()["streaks"] == {"a": (0, 0)}


# --- words ---------------------------------------------------------------------------------------


def test_a_trip_in_words():
    plain = trip(
        3_000, 2_000, action="pause", watch="fill", value=0.123456, band=[0.25, None], branch=1
    )
    told = "breaker calm: fill was 0.1235 at round 3,000 of branch 1, outside 0.25..: "
    assert trip_text(plain) == told + "pause"
    spent = {**plain, "action": "stop", "after_rollbacks": 4}
    assert trip_text(spent) == told + "stop, for it has rolled back 4 times"
    back = {**plain, "action": "rollback", "into": 2, "redirect": "none", "band": [None, 1.5]}
    assert trip_text(back).endswith(
        "outside ..1.5: rollback to round 2,000, branch 2; redirect: none"
    )


@pytest.mark.parametrize("count", [1, 5, 6, 8])
def test_five_of_the_seeds_that_are_held_are_told(count, monkeypatch):
    one = trip(9, action="pause", watch="fill", value=0.0, band=[1, None], branch=0)
    seeds = [("base", k, {**one, "breaker": "odd" if k % 2 else "even"}) for k in range(count)]
    monkeypatch.setattr(held, "held", lambda run, experiment: iter(seeds))
    head, *lines, last = held.pause_text(
        SimpleNamespace(command=lambda *words: " ".join(words)), None
    ).splitlines()
    assert head == f"paused: {count} seed{'' if count == 1 else 's'}; everything is kept."
    assert [line.startswith(f"arm base, seed {k}: ") for k, line in enumerate(lines[:5])] == (
        [True] * min(5, count)
    )
    assert lines[5:] == ([f"and {count - 5} more"] if count > 5 else [])
    assert last == "Go on: resume --release even" + (
        " or resume --release odd" if count > 1 else ""
    )


# --- readings of a branch that is left -----------------------------------------------------------


def test_what_was_read_behind_the_state_that_is_gone_back_to(tmp_path):
    own = made(tmp_path, f"{WATCH}, action: stop")
    market = own.arm.market
    points = []
    for n, count in enumerate((10, 20, 5), 1):
        measures = np.full((len(market.seats) + 1, len(market.measures)), n / 4)
        points.append((count, measures))
    curve = {"rounds": [10, 30, 35], "figures": {"gain": [1.0, None, 3.0]}}
    repetition = SimpleNamespace(breakers=own, points=points, curve=curve, arm=own.arm)
    left = branches.readings_left(repetition, {"branch": 2, "to": 10})
    assert (left["branch"], left["rounds"]) == (2, [30, 35])
    assert left["figures"]["clearing_price"] == [0.5, 0.75]
    assert left["figures"]["gain"] == [None, 3.0]
    assert all(len(values) == 2 for values in left["figures"].values())
    for rounds, kept in ((35, 3), (34, 2), (30, 2), (29, 1), (10, 1), (9, 0)):
        assert branches.points_until(repetition, rounds) == points[:kept]
        cut = {"rounds": [10, 30, 35], "figures": {"gain": [1.0, None, 3.0]}}
        branches.cut_curve(cut, rounds)
        assert cut == {"rounds": [10, 30, 35][:kept], "figures": {"gain": [1.0, None, 3.0][:kept]}}
    empty = {}
    branches.cut_curve(empty, 10)
    assert empty == {}
