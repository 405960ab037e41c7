"""Breakers in experiment files: layers, and every mistake at once."""

from __future__ import annotations

import json

import pytest
from support.training_fixtures import arm, mistakes

from tacit.envs.shown import view_of
from tacit.training.config.arms import arm_from_plain
from tacit.training.config.in_force import arm_in_force, rollbacks, stream_in_force
from tacit.training.config.load import load

ROLLBACK = (
    "breakers.calm={watch: clearing_price, low: .7, action: rollback, "
    "redirect: {kpi: {bidder: {price_change: 0}}}}"
)
PRICE_CHANGE = "kpi.bidder.price_change=-1"


def calm(keys, *settings):
    """Mistakes of one breaker."""
    return mistakes(PRICE_CHANGE, f"breakers.calm={keys}", *settings)


# --- layers --------------------------------------------------------------------------------------


def test_settings_refine_a_breaker_by_key():
    own = arm(PRICE_CHANGE, ROLLBACK, "breakers.calm.low=.5", "breakers.calm.points=3")
    breaker = own.breakers["calm"]
    assert (breaker.low, breaker.high, breaker.points) == (0.5, None, 3)
    assert breaker.changes.plain == {"kpi": {"bidder": {"price_change": 0}}}
    assert breaker.most_rollbacks == 1


def test_arms_refine_replace_and_drop_the_breakers_of_the_file():
    file = {
        "market": "ad_auction",
        "breakers": {"calm": {"watch": "clearing_price", "low": 0.7, "action": "stop"}},
        "arms": {
            "same": {},
            "lower": {"breakers.calm.low": 0.2},
            "two": {"breakers.rich": {"watch": "profit", "high": 1, "action": "pause"}},
            "none": {"breakers.calm": None},
            "empty": {"breakers": {}},
        },
    }
    arms = load(file, ["seeds=1"]).arms
    found = {name: list(own.breakers) for name, own in arms.items()}
    # The arm without any equals the one in which it is dropped, and runs once for both.
    assert found == {"same": ["calm"], "lower": ["calm"], "two": ["calm", "rich"], "none": []}
    assert arms["lower"].breakers["calm"].low == 0.2


def test_an_arm_without_breakers_is_what_it_was():
    assert "breakers" not in arm().plain
    assert arm().same(json.loads(json.dumps(arm().plain)))


def test_an_arm_with_breakers_is_read_back_from_its_data():
    own = arm(PRICE_CHANGE, ROLLBACK)
    plain = json.loads(json.dumps(own.plain))
    again = arm_from_plain("base", plain)
    assert (again.plain, again.breakers) == (own.plain, own.breakers)
    assert own.same(plain)
    assert not own.same(arm(PRICE_CHANGE).plain)


# --- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "lines"),
    [
        (
            "{watch: clearing_prize, low: .7, high: .6, action: stop, tims: 3}",
            [
                "breakers.calm.watch: unknown measure or quick figure 'clearing_prize' of "
                "ad_auction. Did you mean 'clearing_price'?",
                "breakers.calm.tims: unknown key. Did you mean 'times'?",
            ],
        ),
        (
            "{watch: clearing_price, low: .7, high: .6, action: stop, times: 3, to: 2}",
            [
                "breakers.calm.low: must be at most high (0.6), got 0.7.",
                "breakers.calm.to: is for action: rollback only, not for stop.",
                "breakers.calm.times: is for action: rollback only, not for stop.",
            ],
        ),
        (
            "{watch: weight/bidder_0/bidder_2, action: pause}",
            [
                "breakers.calm.watch: unknown measure or quick figure 'weight/bidder_0/bidder_2'",
                "breakers.calm.low: missing; give low, high or both",
            ],
        ),
        (
            "{watch: clearing_price, low: .7, action: halt, scope: run, points: 0}",
            [
                "breakers.calm.points: must be greater than or equal to 1, got 0.",
                "breakers.calm.scope: must be ",
                "breakers.calm.action: must be 'stop', 'pause' or 'rollback', got 'halt'.",
            ],
        ),
        ("{watch: clearing_price, low: .nan, action: stop}", ["breakers.calm.low: must be "]),
        ("7", ["breakers.calm: must be a table of keys, got 7."]),
        (
            "{watch: clearing_price, low: .7, action: rollback}",
            ["breakers.calm.redirect: missing. A rollback alone plays the same rounds again"],
        ),
        (
            "{watch: clearing_price, low: .7, action: rollback, redirect: {}}",
            ["breakers.calm.redirect: missing."],
        ),
        (
            "{watch: clearing_price, low: .7, action: rollback, redirect: {kip: 1}, to: 0}",
            [
                "breakers.calm.redirect.kip: unknown key. Did you mean 'kpi'?",
                "breakers.calm.to: must be at least 1 kept state back, got 0.",
            ],
        ),
        (
            "{watch: clearing_price, low: .7, action: rollback, redirect: never, to: back}",
            [
                "breakers.calm.redirect: must be a table of keys or none, got 'never'.",
                "breakers.calm.to: must be a number of kept states, or r<round> as in r5000, got "
                "'back'.",
            ],
        ),
        (
            "{watch: clearing_price, low: .7, action: rollback, redirect: none, to: r600000}",
            ["breakers.calm.to: must be before the end of training (600000), got 600000."],
        ),
        (
            "{watch: clearing_price, low: .7, action: rollback, redirect: "
            "{market: {bidders: 3}, kpi: {biddr: {profit: 1}, bidder: {prise: 1, profit: x}}}}",
            [
                "breakers.calm.redirect.market: bidders 3 changes seats, state, which what was "
                "learned is about.",
                "breakers.calm.redirect.kpi.biddr: unknown role or seat. Did you mean 'bidder'?",
                "breakers.calm.redirect.kpi.bidder.prise: is no term of this KPI. One of: "
                "price_change, profit.",
                "breakers.calm.redirect.kpi.bidder.profit: must be a finite number, got 'x'.",
            ],
        ),
        (
            "{watch: clearing_price, low: .7, action: rollback, redirect: "
            "{market: {observe: price}}}",
            ["breakers.calm.redirect.market: observe price changes what seats see and do"],
        ),
        (
            "{watch: clearing_price, low: .7, action: rollback, redirect: "
            "{market: {price_mx: 1, slots: many}}}",
            [
                "breakers.calm.redirect.market.slots: must be",
                "breakers.calm.redirect.market.price_mx: unknown key. Did you mean 'price_mix'?",
            ],
        ),
        (
            "{watch: clearing_price, low: .7, action: rollback, redirect: "
            "{kpi: {bidder: {price_change: -1}}}}",
            ["breakers.calm.redirect: changes nothing. Say none if it may happen again."],
        ),
    ],
)
def test_all_mistakes_of_a_breaker_are_told_at_once(keys, lines):
    found = calm(keys)
    assert len(found) == len(lines), found
    for line in lines:
        assert any(each.startswith(line) for each in found), (line, found)


def test_a_rollback_needs_kept_states():
    found = mistakes(PRICE_CHANGE, ROLLBACK, "record.keyframe_bytes=0")
    assert found == [
        "breakers.calm.action: rollback needs kept states, but record.keyframe_bytes is 0."
    ]
    stops = "breakers.calm={watch: clearing_price, low: .7, action: stop}"
    assert arm(stops, "record.keyframe_bytes=0").breakers


def test_a_name_is_a_word():
    assert mistakes("breakers.a/b={watch: clearing_price, low: 0, action: stop}") == [
        "breakers.a/b: a name has letters, digits, - and _ only, at most 40."
    ]


def test_mistakes_of_breakers_and_of_the_rest_are_told_together():
    found = calm("{watch: fil, low: 0, action: stop}", "train.runds=3", "seeds=0")
    keys = [line.split(":")[0] for line in found]
    assert keys == ["train.runds", "seeds", "breakers.calm.watch"]


# --- what is in force ----------------------------------------------------------------------------


def trip(name, **keys):
    return {"breaker": name, "action": "rollback", "round": 10, "to": 0, "from": 0, **keys}


def test_redirects_add_up():
    own = arm(
        PRICE_CHANGE,
        ROLLBACK,
        "breakers.rule={watch: fill, low: 1, action: rollback, redirect: {market: {price_mix: 1}}}",
        "breakers.luck={watch: fill, low: 1, action: rollback, redirect: {fresh_stream: true}}",
    )
    assert arm_in_force(own, []) is own
    assert arm_in_force(own, [trip("luck")]) is own
    both = arm_in_force(own, [trip("calm"), trip("rule"), {"breaker": "calm", "action": "stop"}])
    assert both.kpi["bidder_1"]["price_change"].weight == 0
    assert both.kpi["bidder_1"]["profit"].weight == 1
    assert both.market.config.price_mix == 1
    assert (both.plain["market"]["price_mix"], own.plain["market"]["price_mix"]) == (1, 0)
    assert arm_in_force(own, [trip("calm"), trip("calm")]).kpi == both.kpi
    assert stream_in_force(own, [trip("calm")]) == 0
    assert stream_in_force(own, [trip("calm"), trip("luck"), trip("calm")]) == 2
    assert len(rollbacks([trip("calm"), {"breaker": "calm", "action": "pause"}])) == 1


def test_a_seat_s_weight_is_the_last_word():
    own = arm(
        PRICE_CHANGE,
        "breakers.calm={watch: fill, low: 1, action: rollback, redirect: "
        "{kpi: {bidder_1: {profit: 3}, bidder: {profit: 2}}}}",
    )
    after = arm_in_force(own, [trip("calm")])
    assert [after.kpi[seat]["profit"].weight for seat in ("bidder_0", "bidder_1")] == [2, 3]


# --- what seats are shown, and how they learn ----------------------------------------------------


def hides(redirect, config="cloud_bandwidth", watch="price", more=()):
    keys = f"{{watch: {watch}, high: 0, action: rollback, redirect: {redirect}}}"
    return (f"breakers.calm={keys}", *more), {"config": config}


@pytest.mark.parametrize(
    ("redirect", "config", "lines"),
    [
        ("{memory: on}", "cloud_bandwidth", ["memory: must be 'off', got 'on'."]),
        (
            "{rivals_data: 1}",
            "cloud_bandwidth",
            [
                "rivals_data: must be none, or more rounds than the 1 that rivals' data are old, "
                "at most 100, got 1."
            ],
        ),
        (
            "{rivals_data: 2, memory: off}",
            "cloud_bandwidth",
            ["rivals_data: what is hidden, already or by memory: off, is not older."],
        ),
        (
            "{memory: off, rivals_data: none}",
            "ad_auction",
            [
                "memory: seats see nothing of earlier rounds in ad_auction, as it is set here.",
                "rivals_data: ad_auction declares nothing that seats see as a rival's.",
            ],
        ),
        (
            "{memory: off, updates: synchronous}",
            "procurement",
            [
                "updates: synchronous needs a market of one phase; procurement has offer, "
                "respond, answer here.",
                "memory: seats see nothing of earlier rounds in procurement, as it is set here.",
            ],
        ),
    ],
)
def test_what_has_no_meaning_in_a_market_is_refused(redirect, config, lines):
    watch = {"cloud_bandwidth": "price", "ad_auction": "fill", "procurement": "welfare"}[config]
    settings, options = hides(redirect, config, watch)
    assert mistakes(*settings, **options) == [f"breakers.calm.redirect.{line}" for line in lines]


def test_synchronous_updates_are_for_q_learners_that_update_one_action():
    for agent in ("ippo", "{name: q_learning, update: synchronous}"):
        more = (f"agents.provider={agent}",)
        settings, options = hides("{updates: synchronous}", more=more)
        (line,) = mistakes(*settings, **options)
        assert line.startswith("breakers.calm.redirect.updates: is for q_learning that updates")


def test_hidden_and_older_data_are_in_force_and_add_up():
    firm = {"config": "quantity_competition", "watch": "welfare"}
    settings, options = hides("{memory: off, updates: synchronous}", **firm)
    rule = "{watch: welfare, high: 0, action: rollback, redirect: {market: {demand: 250}}}"
    own = arm(*settings, f"breakers.rule={rule}", **options)
    after = arm_in_force(own, [trip("calm"), trip("rule"), trip("calm")])
    parts = {"last_quantity_0", "last_quantity_1"}
    assert view_of(after.market).hidden == {"firm_0": parts, "firm_1": parts}
    assert after.market.config.demand == 250
    assert {config.update for config in after.agents.values()} == {"synchronous"}
    assert after.plain["agents"]["firm_0"]["update"] == "synchronous"
    assert own.plain["agents"]["firm_0"]["update"] == "asynchronous"
    assert view_of(own.market).hidden == {}
    assert own.breakers["calm"].changes.changes_objective
    settings, options = hides("{rivals_data: 3}", **firm)
    late = arm_in_force(arm(*settings, **options), [trip("calm"), trip("calm")]).market
    assert (view_of(late).rounds, view_of(late).hidden["firm_1"]) == (2, {"last_quantity_0": 1})


def test_a_view_is_part_of_what_identifies_an_arm_and_is_read_back():
    settings, options = hides("{rivals_data: none}")
    own = arm(*settings, **options)
    assert arm_from_plain("base", json.loads(json.dumps(own.plain))).plain == own.plain
    other, _ = hides("{rivals_data: 3}")
    assert not own.same(arm(*other, **options).plain)
    old = json.loads(json.dumps(own.plain))  # of a version that did not know the keys
    for key in ("memory", "updates"):
        del old["breakers"]["calm"]["redirect"][key]
    assert own.same(old)


@pytest.mark.parametrize(
    ("one", "other", "line"),
    [
        (
            "{market: {demand: 215}}",
            "{market: {demand_shock: 85}}",
            "breakers.b.redirect.market.output_range: high must be at most 65, got 105",
        ),
        (
            "{memory: off}",
            "{rivals_data: 2}",
            "breakers.b.redirect.rivals_data: what is hidden, already or by memory: off",
        ),
    ],
)
def test_redirects_that_do_not_fit_together_are_told_before_training(one, other, line):
    settings = [
        f"breakers.{name}={{watch: price, high: 0, action: rollback, redirect: {redirect}}}"
        for name, redirect in (("a", one), ("b", other), ("c", "{kpi: {firm: {profit: 2}}}"))
    ]
    found = mistakes(*settings, config="quantity_competition")
    assert found[0].startswith(line)
    assert found[0].endswith("(after the redirect of a)")
    assert len(found) == 1
    assert arm(settings[0], settings[2], config="quantity_competition").breakers


def test_cards_name_the_weights_to_which_a_breaker_redirects():
    own = arm(PRICE_CHANGE, ROLLBACK, "breakers.calm.redirect.forget=true")
    assert own.breakers["calm"].sentence == (
        "clearing_price outside 0.7..: rollback (at most 1), changed is "
        "kpi {bidder: {price_change: 0}}, forget"
    )


def test_from_is_a_round_of_training():
    found = calm("{watch: fill, low: 0, action: stop, from: 600001}")
    assert found == ["breakers.calm.from: must be at most train.rounds (600000), got 600001."]
    found = calm("{watch: fill, low: 0, action: stop, from: -1, form: 2}")
    assert found == [
        "breakers.calm.from: must be greater than or equal to 0, got -1.",
        "breakers.calm.form: unknown key. Did you mean 'from'?",
    ]
    assert calm("{watch: fill, low: 0, action: stop, from: '7'}")[0].startswith(
        "breakers.calm.from"
    )
