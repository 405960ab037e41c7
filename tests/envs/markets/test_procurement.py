"""Procurement by the book: rounds computed by hand, every branch of a tender."""

from __future__ import annotations

import numpy as np
import pytest
from support.independent.pure import pure
from support.play import phases
from support.tenders import FULL, SIMPLE

from tacit.envs import rng
from tacit.envs.engine.engine import Engine
from tacit.envs.procurement import kernels, positions
from tacit.envs.procurement.positions import (
    LEAD,
    STOCK,
    SUPPLIERS,
    URGENT,
    WIDTH,
)
from tacit.envs.registry import make_market
from tacit.envs.views.pettingzoo_env import make_parallel


def private(engine: Engine, **columns) -> None:
    """Set private types of copy 0 and let everybody look again."""
    state = engine.rows.state[0]
    for name, value in columns.items():
        if name == "urgent":
            state[URGENT] = value
        else:
            for i, x in enumerate(value):
                state[SUPPLIERS + i * WIDTH + {"stock": STOCK, "lead": LEAD}[name]] = x
    for seat in engine.market.seats:
        index = pure(kernels.observe)(engine.market.params, state, engine.phase, seat.index)
        engine.observations[0, seat.index] = index


def tender(config, types, *acts: dict[str, dict], engine: Engine | None = None) -> dict[str, dict]:
    """Play one tender, an entry a phase of seat -> parts; nonzero measures by owner."""
    market = make_market("procurement", config)
    if engine is None:
        engine = Engine(market)
        engine.reset()
    private(engine, **types)
    for parts in acts:
        actions = [
            seat.role.encode_action(**parts[seat.name])
            if seat.name in parts
            else seat.role.legal[engine.observations[0, seat.index], 0]
            for seat in market.seats
        ]
        engine.step(np.array([actions]))
    assert engine.phase == 0
    owners = [*(seat.name for seat in market.seats), "market"]
    return {
        owner: {m.name: row[k] for k, m in enumerate(market.measures) if abs(row[k]) > 1e-12}
        for owner, row in zip(owners, engine.measures[0], strict=True)
    }


def approx(**values: float):
    return pytest.approx(values, abs=1e-12)


# --- every branch of a tender, defaults: v 1, c 0, o .72, d .9, s .2, f .05 -----------------------

ASKS_HIGH = {"price": 0.8, "claim": "scarce"}
COUNTERS = {"response": "counter supplier_0 at 0.4"}


@pytest.mark.parametrize("stock", [0, 1])
def test_walking_away(stock):
    measures = tender(
        {}, {"stock": [stock]}, {"supplier_0": {"price": 0.8, "claim": "plenty"}},
        {"buyer_0": {"response": "walk"}}, {},
    )  # fmt: skip
    assert measures["buyer_0"] == {}
    if stock:  # a false claim, and a sale elsewhere
        assert measures["supplier_0"] == approx(margin=0.67, false_plenty=1, fine=0.05)
        assert measures["market"] == approx(fines_to_nobody=0.05, welfare=0.67)
    else:
        assert measures["supplier_0"] == measures["market"] == {}


@pytest.mark.parametrize("stock", [0, 1])
def test_an_accepted_offer(stock):
    measures = tender(
        {}, {"stock": [stock]}, {"supplier_0": ASKS_HIGH},
        {"buyer_0": {"response": "accept supplier_0"}}, {},
    )  # fmt: skip
    fine = {} if stock else {"fine": 0.05, "false_scarcity": 1}
    burnt = {} if stock else {"fines_to_nobody": 0.05}
    margin = 0.8 if stock else 0.75
    assert measures["supplier_0"] == approx(margin=margin, booking=0.8, win=1, **fine)
    assert measures["buyer_0"] == approx(surplus=0.2, price_paid=0.8)
    assert measures["market"] == approx(booking=0.8, win=1, welfare=0.2 + margin, **burnt)


def test_a_counter_that_is_taken_is_discounted():
    measures = tender(
        {}, {"stock": [0]}, {"supplier_0": ASKS_HIGH}, {"buyer_0": COUNTERS},
        {"supplier_0": {"answer": "accept"}},
    )  # fmt: skip
    assert measures["supplier_0"] == approx(
        margin=0.9 * 0.4 - 0.05, booking=0.4, win=1, false_scarcity=1, fine=0.05
    )
    assert measures["buyer_0"] == approx(surplus=0.9 * 0.6, price_paid=0.4, savings=0.4)
    assert measures["market"]["welfare"] == pytest.approx(0.9 - 0.05)


def test_a_counter_that_is_refused():
    measures = tender(
        {}, {"stock": [0]}, {"supplier_0": {"price": 0.8, "claim": "plenty"}},
        {"buyer_0": COUNTERS}, {"supplier_0": {"answer": "refuse"}},
    )  # fmt: skip
    assert measures["supplier_0"] == {}
    assert measures["buyer_0"] == approx(surplus=-0.2, stockout=1)
    assert measures["market"] == approx(welfare=-0.2)


def test_a_scarce_supplier_that_is_countered_has_sold_elsewhere():
    measures = tender({}, {"stock": [1]}, {"supplier_0": ASKS_HIGH}, {"buyer_0": COUNTERS}, {})
    assert measures["supplier_0"] == approx(margin=0.72)
    assert measures["buyer_0"] == approx(surplus=-0.2, stockout=1)
    assert measures["market"] == approx(welfare=0.52)


def test_late_without_a_clause_after_a_lie_about_urgency():
    """Everything at once; the counter at .5 is taken by supplier_1, which promised 0 of 2 days."""
    offers = {
        "supplier_0": {"price": 0.3, "claim": "scarce", "promise": 3, "clause": "kept"},
        "supplier_1": {"price": 0.7, "claim": "plenty", "promise": 0, "clause": "dropped"},
    }
    engine = Engine(make_market("procurement", FULL))
    engine.reset()
    key = np.uint64(rng.moment(engine.nature[0], 0, 0, 3))
    held_up = bool(rng.u(key, positions.CUSTOMS_DRAW + 1) < 0.5)
    measures = tender(
        FULL, {"urgent": 1, "stock": [1, 0], "lead": [0, 1]},
        {"buyer_0": {"stated_urgency": "calm"}}, offers,
        {"buyer_0": {"response": "counter supplier_1 at 0.5"}},
        {"supplier_1": {"answer": "accept"}},
        engine=engine,
    )  # fmt: skip
    assert measures["supplier_0"] == approx(margin=0.72 - 0.1)
    assert measures["supplier_1"] == approx(
        margin=0.9 * (0.5 - 0.2 - 0.08), booking=0.5, win=1, late_days=2, overpromise_days=2,
        clause_dropped=1, fine=0.9 * 0.08,
    )  # fmt: skip
    harm = 2 * 0.03 + 0.3 * held_up
    customs = {"customs_delay": 1} if held_up else {}
    surplus = 0.9 * (1.2 - 0.5 - harm + 0.08) - 0.1
    assert measures["buyer_0"] == approx(
        surplus=surplus, price_paid=0.5, savings=0.2, delay_days=2, false_urgency=1,
        **customs,
    )  # fmt: skip
    welfare = 0.9 * (1.2 - 0.2 - harm) - 0.1 + 0.62
    assert measures["market"] == approx(booking=0.5, win=1, fines_to_nobody=0.1, welfare=welfare)


def test_punctual_with_the_clause():
    measures = tender(
        FULL, {"urgent": 0, "stock": [0, 0], "lead": [1, 0]},
        {"buyer_0": {"stated_urgency": "calm"}},
        {"supplier_0": {"price": 0.7, "claim": "plenty", "promise": 3, "clause": "kept"},
         "supplier_1": {"price": 0.3, "claim": "scarce", "promise": 0, "clause": "kept"}},
        {"buyer_0": {"response": "accept supplier_0"}}, {},
    )  # fmt: skip
    assert measures["supplier_0"] == approx(margin=0.7 - 0.1 - 0.06, booking=0.7, win=1)
    assert measures["supplier_1"] == approx(margin=-0.05, false_scarcity=1, fine=0.05)
    assert measures["buyer_0"] == approx(surplus=0.6 - 0.7 - 3 * 0.02, price_paid=0.7)


@pytest.mark.parametrize(("promise", "late"), [(2, 3), (4, 1)])
def test_what_nobody_foresaw_makes_a_true_promise_late(promise, late):
    """The true lead time is 2 days, the delay 3: a longer promise takes it in."""
    keys = {"delays": {"probability": 1, "days": [3]}, "lead_times": [2, 4], "late_fine": 0.04}
    measures = tender(
        {**SIMPLE, **keys, "delay_cost": 0.03, "lead_cost": 0.02}, {"lead": [0]},
        {"supplier_0": {"price": 0.8, "promise": promise}},
        {"buyer_0": {"response": "accept supplier_0"}},
    )  # fmt: skip
    fine = 0.04 * late
    assert measures["supplier_0"] == approx(
        margin=0.8 - fine, booking=0.8, win=1, late_days=late, fine=fine
    )
    surplus = 1 - 0.8 - 0.02 * promise - 0.03 * late + fine
    assert measures["buyer_0"] == approx(surplus=surplus, price_paid=0.8, delay_days=late)


def test_delays_come_as_often_and_as_long_as_configured():
    keys = {"delays": {"probability": 0.3, "days": [1, 5, 5, 20]}, "suppliers": 2, **SIMPLE}
    market = make_market("procurement", keys)
    engine, keyed = Engine(market, copies=4096), market.columns["late_days"]
    engine.reset()
    second = market.role("buyer").encode_action(response="accept supplier_1")
    engine.step(np.tile([0, 0, market.role("buyer").actions - 1], (4096, 1)))
    key = [np.uint64(rng.moment(k, 0, 0, 1)) for k in engine.nature]
    engine.step(np.tile([market.role("supplier").actions - 1] * 2 + [second], (4096, 1)))
    days = [(1, 5, 5, 20)[rng.below(k, positions.DAYS_DRAW + 1, 4)] for k in key]
    held = [rng.u(k, positions.DELAY_DRAW + 1) < 0.3 for k in key]
    np.testing.assert_array_equal(engine.measures[:, 1, keyed], np.where(held, days, 0))
    assert np.mean(held) == pytest.approx(0.3, abs=0.03)


def test_the_record_holds_the_last_two_deliveries():
    config = {"lead_times": [0, 1], "record": "on_time"} | SIMPLE
    engine = Engine(make_market("procurement", config))
    engine.reset()
    seen = []
    for lead, response in [(1, "walk"), (1, "accept"), (0, "accept"), (1, "accept"), (1, "accept"),
                           (0, "accept"), (0, "accept")]:  # fmt: skip
        private(engine, lead=[lead])
        does = response if response == "walk" else "accept supplier_0"
        acts = [{"supplier_0": {"price": 0.4, "promise": 0}}, {"buyer_0": {"response": does}}]
        for parts in acts:
            if "buyer_0" in parts:
                o = engine.observations[0, 1]
                seen.append(engine.market.role("buyer").decode_observation(o)["on_time_0"])
            actions = [
                s.role.encode_action(**parts[s.name]) if s.name in parts else s.role.actions - 1
                for s in engine.market.seats
            ]
            engine.step(np.array([actions]))
    assert seen == [2, 2, 1, 1, 1, 0, 1]


def test_private_types_are_drawn_as_often_as_configured(luck):
    keys = {"suppliers": 2, "scarcity": [0.2, 0.6], "lead_times": [1, 1, 4], "urgency": {}}
    engine = Engine(make_market("procurement", keys), copies=4096)
    play = phases(engine, 4, luck)
    drawn = [engine.rows.state.copy() for phase in play if phase == 0]
    state = np.concatenate(drawn)
    first, second = (state[:, SUPPLIERS + i * WIDTH :] for i in range(2))
    shares = [first[:, STOCK], second[:, STOCK], first[:, LEAD], second[:, LEAD], state[:, URGENT]]
    for share, expected in zip(shares, [0.2, 0.6, 1 / 3, 1 / 3, 0.5], strict=True):
        assert share.mean() == pytest.approx(expected, abs=0.02)
    assert np.abs(np.corrcoef(shares) - np.eye(5)).max() < 0.03
    rounds = np.stack([d[:, SUPPLIERS + STOCK] for d in drawn])
    assert np.abs(np.corrcoef(rounds) - np.eye(4)).max() < 0.06


# --- draws ------------------------------------------------------------------------------------


def test_what_is_said_shifts_no_draw():
    """The next tender's types are the same whatever happened in this one."""
    market = make_market("procurement", FULL)
    states = []
    for seed in (1, 2):
        engine = Engine(market, copies=32)
        for _ in phases(engine, 5, np.random.default_rng(seed)):  # noqa: TID251
            pass
        drawn = [SUPPLIERS + i * WIDTH + k for i in range(2) for k in (STOCK, LEAD)]
        states.append(engine.rows.state[:, [URGENT, *drawn]])
    np.testing.assert_array_equal(*states)


# --- words ------------------------------------------------------------------------------------


def test_a_round_reads_like_a_negotiation():
    env = make_parallel("procurement", market=FULL, render_mode="ansi")
    env.reset(seed=0)
    market = env.market

    def step(**parts):
        seats = {s.name: s for s in market.seats}
        first = {n: int(np.flatnonzero(i["action_mask"])[0]) for n, i in infos.items()}
        chosen = {n: seats[n].role.encode_action(**p) for n, p in parts.items()}
        return env.step(first | chosen)[-1]

    _, infos = env.reset(seed=0)
    infos = step(buyer_0={"stated_urgency": "calm"})
    offer = {"price": 0.7, "claim": "plenty", "promise": 2, "clause": "kept"}
    infos = step(supplier_0=offer, supplier_1=offer | {"clause": "dropped"})
    infos = step(buyer_0={"response": "counter supplier_1 at 0.3"})
    step()
    text = env.render()
    assert "buyer_0 says it is calm" in text
    assert "supplier_0 asks 0.7, claims plenty stock" in text
    assert "promises 2 days, without the clause" in text
    assert "buyer_0 counters supplier_1 at 0.3" in text
    assert "margins: supplier_0 " in text
