"""What given policies earn: measures of play without learning, with intervals over repetitions.

found = tacit.evaluate({"bidder_0": policy, "bidder_1": "competitive"}, "ad_auction")
found["clearing_price"]          # mean, interval, n, and the value of every repetition
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, get_args

from tacit.agents.policy import PolicyTable
from tacit.agents.scripted import Rule, Scripted, ScriptedConfig
from tacit.agents.tabular.group import TabularGroup
from tacit.envs import kpi as kpis
from tacit.envs.engine.policy_tables import by_seat
from tacit.envs.errors import ByName, ConfigError, nearest
from tacit.envs.market import Market
from tacit.envs.registry import make_market

from .named_measures import named_measures
from .population import resolved_kpi
from .stats import Estimate, estimate, interval, number

REWARD = "reward"  # `reward/<seat>`: what a seat's KPI pays, beside the market's measures


@dataclass(frozen=True)
class SeedEstimate(Estimate):
    """An estimate with the values behind it.

    Attributes:
        per_seed: the value of each repetition, in order; None where it has none.
    """

    per_seed: tuple[float | None, ...] = ()

    def __str__(self) -> str:
        return f"{number(self.mean)} {interval(self)}, n = {self.n}"


def seed_estimate(name: str, per_seed: Sequence[float | None]) -> SeedEstimate:
    """The estimate of a measure over the repetitions that have it; n = 0 and NaN if none has."""
    defined = [x for x in per_seed if x is not None and isfinite(x)]
    if not defined:
        return SeedEstimate(float("nan"), float("nan"), float("nan"), 0, tuple(per_seed))
    found = estimate(name, defined)
    return SeedEstimate(found.mean, found.low, found.high, found.n, tuple(per_seed))


def evaluate(
    policies: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    market: Market | str | Mapping[str, Any],
    kpi: Mapping[str, Any] | None = None,
    *,
    rounds: int = 10_000,
    warm_up: int = 0,
    seeds: int = 16,
    seed: int = 0,
    episode_rounds: int | None = None,
) -> ByName[SeedEstimate]:
    """Let policies play, and measure it.

    Args:
        policies: of every seat, by its name or its role's: a policy of a run, a table `[O, A]`, or
            the name of a scripted rule such as `competitive`. A list of such dicts is one
            repetition each, as `[r.policies for r in arm.repetitions]`.
        market: a market, its name, or `{name: ..., keys}` as in an experiment file.
        kpi: the KPI table that `reward/<seat>` is counted by; None: every role's default.
        rounds: that are measured, in each repetition.
        warm_up: rounds that are played before and not measured.
        seeds: how many repetitions, where `policies` is one dict: they differ in luck alone.
        seed: of the first repetition; number k has `seed + k`.
        episode_rounds: rounds of an episode; None: one that does not end.

    Returns:
        Measures by the names of summary.json, and `reward/<seat>`, each with its 95 % interval
        over repetitions.

    Raises:
        ConfigError: a seat without a policy, an unknown name, a table or a KPI that does not fit, a
            number below its bound.
    """
    played = _market(market)
    each = [policies] * seeds if isinstance(policies, Mapping) else list(policies)
    for name, given, least in (("rounds", rounds, 1), ("warm_up", warm_up, 0), ("seed", seed, 0),
                               ("seeds", len(each), 1)):  # fmt: skip
        if given < least:
            raise ConfigError(f"{name}: must be at least {least}, got {given}.")
    table = resolved_kpi(played, kpi)
    same = all(own is each[0] for own in each)
    tables = [_tables(played, each[0])] * len(each) if same else [_tables(played, e) for e in each]
    found = [
        _play(played, table, own, seed + k, warm_up, rounds, episode_rounds)
        for k, own in enumerate(tables)
    ]
    names = dict.fromkeys(name for own in found for name in own)
    return ByName(
        "measure", {name: seed_estimate(name, [own.get(name) for own in found]) for name in names}
    )


def _market(market: Market | str | Mapping[str, Any]) -> Market:
    """The market that was meant.

    Raises:
        ConfigError: an unknown one, or mistakes in its keys.
    """
    if isinstance(market, Market):
        return market
    if isinstance(market, str):
        return make_market(market)
    keys = dict(market)
    return make_market(str(keys.pop("name", "")), keys)


def _tables(market: Market, policies: Mapping[str, Any]) -> list[PolicyTable]:
    """The table of every seat, float64 `[O, A]` each.

    Raises:
        ConfigError: all mistakes at once.
    """
    known = [*(s.name for s in market.seats), *(r.name for r in market.roles)]
    mistakes = [
        f"policies: unknown seat or role '{name}'. {nearest(str(name), known)}"
        for name in policies
        if name not in known
    ]
    given: dict[str, Any] = {}
    for seat in market.seats:
        key = seat.name if seat.name in policies else seat.role.name
        policy = policies.get(key)
        if policy is None:
            mistakes.append(
                f"policies: {seat.name} has none: a table, a policy of a run, or a rule such as "
                "'competitive' or 'random'."
            )
        elif isinstance(policy, str):
            try:
                given[seat.name] = _scripted(market, seat.name, policy)
            except ConfigError as error:
                mistakes += error.mistakes
        else:
            table = getattr(policy, "table", None)
            given[key] = table() if callable(table) else policy
    if mistakes:
        raise ConfigError(mistakes)
    try:
        return by_seat(market, given)
    except ConfigError as error:
        told = [line.replace("tables.", "policies: ", 1) for line in error.mistakes]
        raise ConfigError(told) from None


def _scripted(market: Market, seat: str, rule: str) -> PolicyTable:
    """The table of a rule.

    Raises:
        ConfigError: there is no such rule, or it does not fit the seat.
    """
    rules = get_args(Rule)
    if rule not in rules:
        raise ConfigError(f"policies.{seat}: unknown rule '{rule}'. {nearest(rule, rules)}")
    return Scripted(
        ScriptedConfig.model_validate({"rule": rule}), market, market.seat(seat)
    ).table()


def _play(
    market: Market,
    kpi: kpis.KpiTable,
    tables: Sequence[PolicyTable],
    seed: int,
    warm_up: int,
    rounds: int,
    episode_rounds: int | None,
) -> dict[str, float]:
    """Mean measures of one repetition by name."""
    fixed = dict(zip((s.name for s in market.seats), tables, strict=True))
    group = TabularGroup(market, kpi, {}, seed, 1, episode_rounds, fixed_tables=fixed)
    if warm_up:
        group.run(warm_up)
        group.read()
    group.run(rounds)
    measures, scores = group.read()
    rewards = scores[-len(market.seats) :]
    paid = {f"{REWARD}/{s.name}": float(x) for s, x in zip(market.seats, rewards, strict=True)}
    return named_measures(market, measures) | paid
