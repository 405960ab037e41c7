"""Sessions of play for tests: small arms of every market, trained in memory."""

from __future__ import annotations

from functools import cache
from typing import Any

from support.every_market import CONFIGS, DAY
from support.training_fixtures import arm as small_arm

from tacit.agents.group import Group
from tacit.envs.registry import make_market
from tacit.training.config.arms import Arm
from tacit.training.play.opening import session_among
from tacit.training.play.session import PlaySession

TRAINED = 1_500  # rounds
AGENTS: dict[str, dict[str, Any]] = {
    "q_learning": {"name": "q_learning", "initial_q": 0.0},
    "weights": {"name": "multiplicative_weights"},
    "ippo": {"name": "ippo", "rounds_per_update": 20},
    "stable": {"name": "q_learning", "initial_q": 0.0, "epsilon": 0.0, "stop_after": 100},
}
# One arm for each thing that a session meets, by a short name: (market, config).
MARKETS: dict[str, tuple[str, dict[str, Any]]] = {
    "auction": ("ad_auction", {"observe": "price"}),
    "floor": ("ad_auction", CONFIGS["ad_auction"][5]),
    "private": ("ad_auction", CONFIGS["ad_auction"][9]),  # values, publisher, chat
    "day": ("ad_auction", CONFIGS["ad_auction"][12]),
    "hours": ("ad_auction", {"value": DAY, "bids": 4}),
    "known": ("ad_auction", CONFIGS["ad_auction"][13]),  # known values, two slots
    "counter": ("procurement", {}),
    "tender": (
        "procurement",
        {
            "suppliers": 2,
            "lead_times": [0, 1, 2],
            "counters": False,
            "scarcity": 0,
            "prices": [0.3, 0.5, 0.7],
            "late_fine": 0.1,
        },
    ),
    "private_lead": (
        "procurement",
        {"lead_times": [0, 1], "prices": [0.4, 0.8], "counters": False},
    ),
    "brief": (
        "procurement",
        {"urgency": {}, "brief": True, "false_urgency_fine": 0.2, "prices": [0.3, 0.6]},
    ),
    "record": ("procurement", CONFIGS["procurement"][3]),
    "clouds": ("cloud_bandwidth", {"prices": 4}),
    "tenants": ("cloud_bandwidth", {"differentiation": 0, "tenants": 2, "prices": 3}),
    "surge": ("cloud_bandwidth", CONFIGS["cloud_bandwidth"][6]),
    "turns": ("cloud_bandwidth", CONFIGS["cloud_bandwidth"][9]),
    "outputs": ("quantity_competition", {"outputs": 5}),
    "prices": ("quantity_competition", CONFIGS["quantity_competition"][1]),
    "talk": ("cheap_talk", {"states": 3, "actions": 5}),
    "hire": ("hiring", {}),
    "slots": ("delivery_slots", {}),
    # of the same kinds, under KPIs that are not the fundamental
    "booked": (
        "procurement",
        {
            "lead_times": [0, 1],
            "prices": [0.4, 0.8],
            "counters": False,
            "scarcity": 0,
            "late_fine": 0.1,
        },
    ),
    "sold": ("cloud_bandwidth", {"prices": 3}),
}
KPIS: dict[str, Any] = {
    "booked": {"supplier": {"booking": 1, "overpromise_days": 0.5}},
    "sold": {"provider": {"profit": 1, "quantity": 0.7}},
}  # fmt: skip


@cache
def arm_of(name: str, agent: str = "q_learning") -> Arm:
    """An arm in which every seat is the same agent."""
    market, config = MARKETS[name]
    own = {role.name: AGENTS[agent] for role in make_market(market, config).roles}
    return small_arm(
        "train.rounds=1500", "train.measure_last=500", "seeds=1", "train.copies=1",
        config={
            "market": {"name": market, **config}, "agents": own, "kpi": KPIS.get(name, {}),
        },
    )  # fmt: skip


@cache
def group_of(name: str, agent: str = "q_learning") -> Group:
    """Its first repetition, trained; nobody may let it play on."""
    arm = arm_of(name, agent)
    group = arm.group(0)
    group.run(TRAINED)
    return group


def sit_down(
    name: str,
    seat: str,
    rounds: int = 3,
    session: str = "session",
    learning: bool = False,
    agent: str = "q_learning",
) -> PlaySession:
    """A session among the agents of an arm."""
    arm = arm_of(name, agent)
    own = arm.market.seat(seat)
    group = group_of(name, agent)
    return session_among(group, arm, 0, own, rounds, learning, session, f"run of {name}")


def seats_of_every_role() -> list[tuple[str, str]]:
    """(arm, seat): the last seat of every role of every arm."""
    return [
        (name, f"{role.name}_{role.seats - 1}")
        for name in MARKETS
        for role in arm_of(name).market.roles
    ]
