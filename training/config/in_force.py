"""What is in force in a repetition with branches: its market, KPI, agents and draws.

A branch begins where a breaker or a person goes back to a kept state, or where a person redirects a
repetition as it is. Redirects add up: what an earlier one has changed stays in force after a later
one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from tacit.agents.vendor import separated
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError, build

from .arms import Arm
from .breaker_settings import NONE, ROLLBACK, BreakerConfig, RedirectConfig
from .redirecting import SEPARATE, redirected, unfit_for_vendors, with_updates

Trip = Mapping[str, Any]  # of a breaker, or a person's act, as a repetition's record holds it
PERSON = "person"  # the key of a trip that says who has begun the branch


def is_by_person(trip: Trip) -> bool:
    """Whether a person has begun a branch, and not a breaker."""
    return PERSON in trip


def rule_of(arm: Arm, trip: Trip) -> BreakerConfig:
    """The rule by which a branch began: the arm's breaker, or what a person has asked for.

    Raises:
        ConfigError: a redirect that is none.
        KeyError: a trip of a breaker that the arm does not have.
    """
    if not is_by_person(trip):
        return arm.breakers[trip["breaker"]]
    asked, where = trip["redirect"], f"act {trip.get('act')}"
    redirect = build(RedirectConfig, asked, where) if isinstance(asked, Mapping) else NONE
    # It watches nothing; all else is as in a breaker that rolls back.
    return build(BreakerConfig, {"watch": "", "action": ROLLBACK, "redirect": redirect}, where)


def rollbacks(trips: Iterable[Trip]) -> list[Trip]:
    """Those trips that began a branch: number n began branch n + 1."""
    return [trip for trip in trips if trip["action"] == ROLLBACK]


def arm_in_force(arm: Arm, trips: Iterable[Trip]) -> Arm:
    """The arm with the market, the KPI and the agents that some trips have left.

    Args:
        arm: as it was configured.
        trips: of a repetition, in order.

    Raises:
        ConfigError: redirects that do not go together.
        KeyError: a trip of a breaker that the arm does not have.
    """
    market, table, agents, vendors = arm.market, arm.kpi, arm.agents, arm.vendors
    for trip in rollbacks(trips):
        rule = rule_of(arm, trip)
        market, table = redirected(market, table, rule)
        if rule.changes.updates is not None and not _learns_so(agents):
            agents = with_updates(market, agents, rule.changes.updates)
        if is_by_person(trip) and (unfit := unfit_for_vendors(rule.changes, vendors)):
            raise ConfigError(unfit)  # those of breakers are refused with the configuration
        if rule.changes.policies == SEPARATE:
            vendors = separated(vendors)
    same_market_and_kpi = market is arm.market and table is arm.kpi
    if same_market_and_kpi and agents is arm.agents and vendors == arm.vendors:
        return arm
    plain = {
        **arm.plain,
        "market": {"name": market.name, **market.config.model_dump(mode="json")},
        "kpi": kpis.canonical(table),
        "agents": {seat: agent.model_dump(mode="json") for seat, agent in agents.items()},
    }
    plain.pop("policies", None)
    if vendors:
        plain["policies"] = {vendor.name: vendor.plain for vendor in vendors}
    return replace(arm, market=market, kpi=table, agents=agents, plain=plain, vendors=vendors)


def _learns_so(agents: Mapping[str, BaseModel]) -> bool:
    """Whether an earlier redirect has left no seat whose updates could be changed."""
    return not any(getattr(config, "update", "") == "asynchronous" for config in agents.values())


def stream_in_force(arm: Arm, trips: Iterable[Trip]) -> int:
    """Which stream of draws: 0, the seed's own, or the number of the branch that began another."""
    fresh = 0
    for branch, trip in enumerate(rollbacks(trips), 1):
        if rule_of(arm, trip).changes.fresh_stream:
            fresh = branch
    return fresh
