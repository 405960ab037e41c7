"""Seats of one vendor, against one learner written here in plain Python."""

import math

import numpy as np
import pytest

from tacit.agents.group import make_group
from tacit.agents.tabular.group import TabularGroup
from tacit.agents.tabular.shared.shared_group import SharedGroup
from tacit.agents.vendor import Vendor, own_first_tables
from tacit.agents.vendors import with_shared_objectives
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.engine.engine import Engine
from tacit.training.config.load import load

PRICES, ROUNDS, SEED = 4, 3_000, 5
LEARNER = {
    "name": "q_learning", "learning_rate": 0.2, "discount": 0.9, "epsilon": 0.8,
    "epsilon_decay": 1e-3, "initial_q": [0.0, 1.0],
}  # fmt: skip


def arm_of(providers=3, share=("weights",), seats=None, **market):
    seats = seats or [f"provider_{k}" for k in range(providers)]
    config = {
        "market": {"name": "cloud_bandwidth", "providers": providers, "prices": PRICES, **market},
        "agents": {"provider": LEARNER},
        "train": {"rounds": ROUNDS, "measure_last": 100},
        "seeds": 1,
        "seed": SEED,
    }
    if share:
        config["policies"] = {"vendor_a": {"seats": seats, "share": list(share)}}
    return load(config).arms["base"]


def plain_python(arm, partners, tables, order=None):
    """Q tables after ROUNDS rounds: by the own price, then the others' in order, lists by action.

    `tables[s]` names the table that seat s plays and teaches; its first values are drawn for the
    first seat that holds it, cell by cell as that seat sees them. `order[s]`: all seats as s sees
    them; None: itself, its partners, the others.
    """
    n = len(arm.market.seats)
    engine = Engine(arm.market, arm.kpi, seeds=[SEED])
    engine.reset()
    exploration = rng.copy_keys([SEED], 1, rng.EXPLORATION)[0]
    partners_first = [[*(p for p in partners if s in partners), *range(n)] for s in range(n)]
    order = order or [list(dict.fromkeys([s, *partners_first[s]])) for s in range(n)]
    q = {}
    for name in dict.fromkeys(tables):
        key = rng.child_key(rng.seed_key(SEED, rng.INITIAL), tables.index(name))
        drawn = np.array([rng.u(key, k) for k in range(PRICES ** (n + 1))])
        by_seat = drawn.reshape([PRICES] * (n + 1)).transpose([*order[tables.index(name)], n])
        q[name] = {o: by_seat[o].tolist() for o in np.ndindex(*by_seat.shape[:-1])}

    def row(s, index):
        """Seat s's row at an observation, whose digits are the prices of all seats."""
        digits = [index // PRICES ** (n - 1 - p) % PRICES for p in range(n)]
        return q[tables[s]][tuple(digits[p] for p in order[s])]

    pending, rewards = {}, {}
    for t in range(ROUNDS):
        now = engine.observations[0].tolist()
        for s, (before, action) in pending.items():
            old = row(s, before)
            target = rewards[s] + 0.9 * max(row(s, now[s]))
            old[action] += 0.2 * (target - old[action])
        moment = np.uint64(rng.moment(exploration, 0, t, 0))
        for s in range(n):
            draw, epsilon = rng.u(moment, s), 0.8 * math.exp(-1e-3 * t)
            values = row(s, now[s])
            tried = min(int(draw / epsilon * PRICES), PRICES - 1)
            pending[s] = now[s], tried if draw < epsilon else values.index(max(values))
        engine.step(np.array([[pending[s][1] for s in range(n)]]))
        rewards = engine.rewards[0].tolist()
    return q


def as_dict(group, arm, seat, order):
    """A seat's own Q values by what it sees, in the given order of providers."""
    n = len(arm.market.seats)
    size = PRICES**n * PRICES
    cell = group.seed_state.q_arrays.first_cell[seat]
    q = group.seed_state.q_arrays.q[cell : cell + size].reshape([PRICES] * (n + 1))
    q = q.transpose([*order, n])
    return {o: q[o].tolist() for o in np.ndindex(*q.shape[:-1])}


def check_equal(found, expected):
    """All rows, to the bit."""
    assert all(found[o] == row for o, row in expected.items())


def test_shared_weights_are_one_learner_fed_by_all_seats():
    arm = arm_of()
    group = arm.group(0)
    group.run(ROUNDS)
    expected = plain_python(arm, [0, 1, 2], ["one", "one", "one"])
    for seat, order in enumerate([[0, 1, 2], [1, 0, 2], [2, 0, 1]]):
        check_equal(as_dict(group, arm, seat, order), expected["one"])


def test_a_vendor_of_two_of_three_seats_reads_its_partner_before_the_rival():
    arm = arm_of(seats=["provider_0", "provider_1"])
    group = arm.group(0)
    group.run(ROUNDS)
    expected = plain_python(arm, [0, 1], ["one", "one", "two"])
    check_equal(as_dict(group, arm, 0, [0, 1, 2]), expected["one"])
    check_equal(as_dict(group, arm, 1, [1, 0, 2]), expected["one"])
    check_equal(as_dict(group, arm, 2, [2, 0, 1]), expected["two"])


def test_a_vendor_of_two_regions_reads_its_own_region_first():
    arm = arm_of(2, seats=[f"provider_{k}" for k in range(4)], regions=2)
    group = arm.group(0)
    group.run(ROUNDS)
    order = [[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]]
    expected = plain_python(arm, [0, 1, 2, 3], ["one"] * 4, order)
    for seat in range(4):
        check_equal(as_dict(group, arm, seat, order[seat]), expected["one"])


def test_a_shared_random_stream_alone_changes_draws_and_first_values():
    arm = arm_of(providers=2, share=["random_stream"])
    group = arm.group(0)
    # Seats that see alike and draw alike from equal tables do the same, whatever they see first.
    one, other = (as_dict(group, arm, s, order) for s, order in ((0, [0, 1]), (1, [1, 0])))
    assert one == other
    group.run(ROUNDS)
    apart = arm_of(providers=2, share=[]).group(0)
    apart.run(ROUNDS)
    assert group.read()[0].tobytes() != apart.read()[0].tobytes()
    assert group.sharing.slots.tolist() == [0, 0]


def test_shared_data_from_equal_first_values_is_shared_weights_to_the_bit():
    shared = {}
    for share in ("weights", "data"):
        group = arm_of(share=[share, "random_stream"]).group(0)
        group.run(ROUNDS)
        shared[share] = group.state()
    for name, array in shared["weights"].items():
        assert array.tobytes() == shared["data"][name].tobytes(), name


def test_shared_data_keeps_tables_apart_where_first_values_are_drawn():
    group = arm_of(providers=2, share=["data"]).group(0)
    group.run(ROUNDS)
    one, other = (as_dict(group, arm_of(2), s, order) for s, order in ((0, [0, 1]), (1, [1, 0])))
    assert one != other
    # In few rounds: what moved in one table moved in the other, at what its seat would see.
    group, alone = (arm_of(providers=2, share=share).group(0) for share in (["data"], []))
    moved = {}
    for name, each in (("shared", group), ("alone", alone)):
        before = each.state()["q_arrays.q"]
        each.run(20)
        moved[name] = (each.state()["q_arrays.q"] != before).reshape(2, PRICES, PRICES, PRICES)
    assert np.array_equal(moved["shared"][0], moved["shared"][1].transpose(1, 0, 2))
    own, rival = moved["alone"][0], moved["alone"][1].transpose(1, 0, 2)
    assert own.sum() < moved["shared"][0].sum() > rival.sum()


def test_a_shared_objective_pays_the_sum_to_each_seat_and_changes_nothing_else():
    arm, apart = arm_of(share=["objective"]), arm_of(share=[])
    assert isinstance(arm.group(0), TabularGroup)
    assert not isinstance(arm.group(0), SharedGroup)
    engines = [Engine(a.market, a.kpi, seeds=[1]) for a in (arm, apart)]
    for engine in engines:
        engine.reset()
        engine.step(np.array([[0, 2, 3]]))
    together, own = engines[0].rewards[0], engines[1].rewards[0]
    assert together.tolist() == [float(own[0] + own[1] + own[2])] * 3


def test_terms_about_rivals_keep_their_meaning_for_a_partner():
    market = arm_of().market
    raw = {"provider": {"profit": {"weight": 2, "scope": "rivals"}, "price": {"weight": 1}}}
    kpi = kpis.resolve(market, raw)
    vendor = Vendor("v", ("provider_0", "provider_1"), ("objective",))
    shared = with_shared_objectives(market, kpi, (vendor,))
    engines = [Engine(market, table, seeds=[1]) for table in (kpi, shared)]
    for engine in engines:
        engine.reset()
        engine.step(np.array([[0, 2, 3]]))
    own, together = engines[0].rewards[0], engines[1].rewards[0]
    assert together[:2] == pytest.approx([own[0] + own[1]] * 2, rel=1e-14)
    assert together[2] == own[2]


def test_states_and_stretches_go_on_to_the_bit():
    arm = arm_of(share=["weights", "random_stream"])
    whole, cut = arm.group(0), arm.group(0)
    whole.run(ROUNDS)
    for length in (1, 700, 13):
        cut.run(length)
    other = arm.group(0)
    other.load(cut.state())
    other.run(ROUNDS - 714)
    assert all(a.tobytes() == other.state()[n].tobytes() for n, a in whole.state().items())


def test_tables_read_own_first_are_equal_and_others_are_not():
    arm = arm_of(providers=2)
    group = arm.group(0)
    group.run(ROUNDS)
    one, other = own_first_tables(arm.market, arm.vendors, group.tables())
    assert np.array_equal(one, other)
    apart = arm_of(providers=2, share=[]).group(0)
    apart.run(ROUNDS)
    one, other = own_first_tables(arm.market, arm.vendors, apart.tables())
    assert not np.array_equal(one, other)


def test_shared_weights_begin_with_the_first_seats_table_after_a_warm_start():
    apart = arm_of(providers=2, share=[]).group(0)
    apart.run(500)
    arm = arm_of(providers=2)
    group = arm.group(0)
    group.warm_start_from(apart.state())
    one, other = (as_dict(group, arm, s, order) for s, order in ((0, [0, 1]), (1, [1, 0])))
    assert one == other == as_dict(apart, arm, 0, [0, 1])


def test_without_vendors_the_group_is_todays():
    arm = arm_of(share=[])
    assert type(arm.group(0)) is TabularGroup
    assert "policies" not in arm.plain
    direct = make_group(arm.market, arm.kpi, arm.agents, SEED)
    group = arm.group(0)
    for each in (direct, group):
        each.run(500)
    assert all(a.tobytes() == group.state()[n].tobytes() for n, a in direct.state().items())
