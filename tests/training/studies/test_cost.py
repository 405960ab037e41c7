"""What training is said to cost before it starts: sign, unit, and what makes it dearer."""

from __future__ import annotations

import time

import pytest

from tacit.training.config.load import load
from tacit.training.studies.cost import arm_cost, cost_lines, figure, may_look_up, played_round

TABLES = {"name": "q_learning", "initial_q": 0}


def arm(*words, agent=None, market="ad_auction", role="bidder", **keys):
    raw = {"market": {"name": market, **keys}, "agents": {role: dict(agent or TABLES)}}
    return load(raw, [*words], [], None).arms["base"]


def pricing(*words, agent=None, **keys):
    return arm(*words, agent=agent, market="cloud_bandwidth", role="provider", **keys)


def seconds(*args, **options):
    found = arm_cost(arm(*args, **options)).core_seconds
    assert found is not None
    return found


@pytest.mark.parametrize(
    "words",
    [
        ["train.rounds=1200000"],
        ["train.copies=2"],
        ["seeds=96"],
        ["market.bidders=3"],
        ["market.observe=bids"],
        ["train.evaluate_every=1000"],
    ],
)
def test_what_grows_costs_more(words):
    assert seconds(*words) > seconds() > 0


def test_seeds_and_rounds_are_proportional():
    one, ten = arm_cost(arm("seeds=1")), arm_cost(arm("seeds=10"))
    assert ten.core_seconds == pytest.approx(10 * one.core_seconds)
    half = arm_cost(arm("seeds=1", "train.rounds=300000"))
    assert one.rounds == pytest.approx(2 * half.rounds)
    assert one.beside == half.beside  # 24 points either way


def test_memory_is_in_bytes_and_grows_with_what_is_stored():
    small = arm_cost(arm("record.keyframe_bytes=0")).memory
    wide = arm_cost(arm("record.keyframe_bytes=0", "train.copies=1001")).memory
    row = (wide - small) / 1000
    assert 2 * 8 * 20 < row < 2 * 8 * 200  # of a copy: some dozens of numbers, twice
    seen = arm_cost(arm("record.keyframe_bytes=0", "market.observe=bids")).memory
    assert seen - small > 2 * 8 * 2 * 399 * 19


def test_rounds_are_said_to_be_looked_up_where_a_table_may_be_made():
    assert may_look_up(pricing("market.prices=5"))
    assert not may_look_up(pricing("market.prices=40"))  # 40^2 states x 40^2 actions
    assert not may_look_up(pricing("market.prices=5", "train.copies=2"))
    assert not may_look_up(pricing("market.prices=5", "train.episode_rounds=100"))
    batches = {"name": "ippo", "rounds_per_update": 8}
    assert may_look_up(pricing("market.prices=5", "train.copies=2", agent=batches))
    assert may_look_up(pricing("market.prices=5", "train.episode_rounds=100", agent=batches))
    assert not may_look_up(pricing("market.prices=5", agent={**batches, "rounds_per_update": 1}))
    assert not may_look_up(arm(agent=batches))  # an auction, whose ties are drawn
    looked_up = arm_cost(pricing("market.prices=5", "train.rounds=1000000"))
    played = arm_cost(pricing("market.prices=5", "train.rounds=1000000", "train.copies=2"))
    assert looked_up.looked_up
    assert looked_up.rounds < played.rounds / 2


def test_networks_cost_by_their_updates():
    agent = {"name": "ippo", "hidden": [32]}
    words = ("train.copies=16", "train.rounds=20000")
    narrow = arm_cost(pricing(*words, agent=agent)).rounds
    wide = arm_cost(pricing(*words, agent=agent | {"hidden": [256, 256]})).rounds
    seldom = arm_cost(pricing(*words, agent=agent | {"rounds_per_update": 512})).rounds
    replayed = arm_cost(pricing(*words, agent={"name": "idqn"})).rounds
    assert wide > 2 * narrow
    assert seldom < narrow
    assert replayed > 0


def test_agents_without_an_estimate_are_named():
    arms = {"base": pricing(agent={"name": "sb3"}), "tables": pricing()}
    lines = [*cost_lines(arms, 2)]
    assert lines[0].endswith("a seed; how long its agents take is not known")
    assert lines[2] == "estimate, all: not known, as that of base"


def test_the_lines_add_up():
    arms = {"a": arm("seeds=4"), "b": arm("seeds=4", "market.bidders=4")}
    lines = [*cost_lines(arms, 1)]
    total = sum(arm_cost(own).core_seconds for own in arms.values())
    assert lines[2].startswith(
        f"estimate, all: {figure(total)} core-seconds; {figure(total)} s on 1"
    )
    assert "a seed" in lines[0]
    assert " cores," in [*cost_lines(arms, 64)][2]


def test_no_number_of_cores_makes_one_seed_shorter():
    slow = arm("seeds=2", "train.rounds=100000000")
    seed = arm_cost(slow).core_seconds / 2
    (line,) = [x for x in cost_lines({"base": slow}, 64) if x.startswith("estimate, all")]
    assert f"{figure(seed)} s on 64 cores, {figure(seed)} s however many" in line


def test_small_numbers_are_short():
    assert [figure(x) for x in (0.0123, 0.5, 1.26, 99.6, 12_345.0)] == [
        "0.012", "0.5", "1.3", "100", "12,345",
    ]  # fmt: skip


def test_the_unit_is_seconds():
    """A round is a second neither by the formula nor here; both are above a nanosecond."""
    own = arm()
    group = own.group(0)
    group.run(1_000)
    began = time.process_time()
    group.run(100_000)
    measured = (time.process_time() - began) / 100_000
    for each in (measured, played_round(own.market)):
        assert 1e-9 < each < 1e-3
