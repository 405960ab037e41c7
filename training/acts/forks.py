"""Acts from which a branch begins: rollback, reweight, redirect.

A rollback goes back to a kept state. A reweight or a redirect goes on from the repetition's present
state, so no round is lost. Each is recorded as a trip, in the form of a breaker's rollback with the
key `person` in the place of `breaker` (`tacit.training.config.in_force`). So the same code begins
the branch (`SeedBreakers.fork`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Market
from tacit.training.config.arms import Arm
from tacit.training.config.breaker_settings import NONE, ROLLBACK, ROUND, BreakerConfig
from tacit.training.config.in_force import PERSON, arm_in_force, rule_of
from tacit.training.config.redirecting import redirected

from .protocol import TRIP, ActRequest

# What a trip records as its redirect where nothing is changed; a breaker's trip has the same words.
AGAIN = "none: it will happen again"


@dataclass(frozen=True)
class Standing:
    """How a repetition stands between two rounds.

    Attributes:
        configured: its arm, as it was configured.
        arm: the same arm with the market, the KPI and the agents that are in force.
        k: number of the repetition in its arm.
        branch: number of the branch under way.
        rounds: played per copy.
        kept: states to which it can go back: rounds played there -> the branch that kept the state.
        trips: those of breakers and people so far, in order.
    """

    configured: Arm
    arm: Arm
    k: int
    branch: int
    rounds: int
    kept: Mapping[int, int] = field(default_factory=dict)
    trips: Sequence[Mapping[str, Any]] = ()


def check_branch(request: ActRequest, standing: Standing) -> None:
    """Check that the branch that a request names, if it names one, is the one under way.

    Raises:
        ConfigError: it names another one.
    """
    if request.branch not in (None, standing.branch):
        raise ConfigError(
            f"branch: seed {standing.k} of arm {standing.arm.name} is on branch {standing.branch} "
            f"by now, at round {standing.rounds:,}, not on {request.branch}; nothing was changed."
        )


def fork(request: ActRequest, standing: Standing) -> dict[str, Any]:
    """The trip as which an act would be recorded, with every mistake looked for.

    Args:
        request: a rollback, a reweight or a redirect.
        standing: of the repetition that the request is about.

    Returns:
        The keys of a breaker's trip: `branch` and `round` where it happens, `to` and `from` (rounds
        and branch of the state that is taken over), `into` (the new branch), `redirect`. Beside
        them `person`, `act` (its id), `what`, and the values `before` and `after`.

    Raises:
        ConfigError: a branch that was left, a state that is not kept, or a redirect that is
            unknown, does not fit the market, or changes nothing.
    """
    check_branch(request, standing)
    if standing.configured.live:
        raise ConfigError(
            f"act: {request.act} begins a branch, and the live agent of "
            f"{', '.join(standing.configured.live)} cannot be put back; pause, stop, override and "
            "veto remain."
        )
    if isinstance(request.redirect, Mapping) and "partners" in request.redirect:
        raise ConfigError(
            "redirect.partners: is for a breaker with scope: arm; an act changes each seed by "
            "itself."
        )
    to = _target(request, standing) if request.act == "rollback" else standing.rounds
    trip = {
        PERSON: request.by,
        "act": request.id,
        "what": request.act,
        "branch": standing.branch,
        "round": standing.rounds,
        "action": ROLLBACK,
        "to": to,
        "from": standing.kept[to] if request.act == "rollback" else standing.branch,
        "into": standing.branch + 1,
        "redirect": AGAIN if request.redirect == NONE else request.redirect,
    }
    return trip | _before_and_after(standing, trip)


def _target(request: ActRequest, standing: Standing) -> int:
    """The rounds of the kept state that a rollback goes back to."""
    kept, to = sorted(standing.kept), request.to
    named = ROUND.fullmatch(to)
    if named is not None:
        if int(named[1]) >= standing.rounds:
            raise ConfigError(
                f"to: must be before the present round ({standing.rounds:,}), got {to}."
            )
        if not kept or int(named[1]) < kept[0]:
            first = f"the first state is at round {kept[0]:,}" if kept else "no round was played"
            raise ConfigError(f"to: {first}, got {to}.")
        return max(rounds for rounds in kept if rounds <= int(named[1]))
    back = -int(to or -1)  # so many kept states back; without `to` the last one
    if len(kept) < 2 and not to:  # the state at the beginning can only be named
        no_budget = standing.arm.record.keyframe_bytes == 0
        why = "record.keyframe_bytes is 0" if no_budget else "no evaluation point was reached"
        begins = f"; r{kept[0]} begins anew" if kept else ""
        raise ConfigError(f"to: no state is kept yet ({why}){begins}.")
    if back > len(kept):
        raise ConfigError(f"to: there are {len(kept)} states to go back to, got {to}.")
    return kept[-back]


def _before_and_after(standing: Standing, trip: Mapping[str, Any]) -> dict[str, Any]:
    """What the redirect of a trip changes.

    Returns:
        `before` and `after`: the values of every key that it changes.

    Raises:
        ConfigError: the redirect cannot be made, or changes nothing.
    """
    # Messages begin with where a redirect stands: `act.redirect.kpi` in those of `redirected`,
    # `act <id>.kpi` in those of `rule_of`. Both are cut to `redirect.kpi`, the request's key.
    arm, prefix = standing.arm, "act."
    try:
        rule = rule_of(standing.configured, trip)
        market, table = redirected(arm.market, arm.kpi, rule, prefix.rstrip("."))
        arm_in_force(standing.configured, [*standing.trips, trip])  # also that agents can learn so
    except ConfigError as error:
        own = f"act {trip['act']}."
        lines = [line.removeprefix(own).removeprefix(prefix) for line in error.mistakes]
        lines = [x if x.startswith("redirect") else f"redirect.{x}" for x in lines]
        raise ConfigError(lines) from None
    before, after = _values(arm.market, arm.kpi), _values(market, table)
    changed = [key for key in after if before.get(key) != after[key]]
    # Other keys (draws, forgetting, what is shown, updates) change no value that is compared here.
    if not changed and rule.redirect != NONE and not rule.changes.plain.keys() - {"kpi", "market"}:
        raise ConfigError("redirect: changes nothing. Say none if it may happen again.")
    return {
        "before": {key: before.get(key) for key in changed},
        "after": {key: after[key] for key in changed},
    }


def _values(market: Market, table: kpis.KpiTable) -> dict[str, Any]:
    """The KPI's weights as `kpi.<seat>.<term>`, and the market's keys as `market.<key>`."""
    config = market.config.model_dump(mode="json")
    weights = {
        f"kpi.{seat}.{term}": own.weight
        for seat, terms in table.items()
        for term, own in terms.items()
    }
    return weights | {f"market.{key}": value for key, value in config.items()}


def fork_text(trip: Mapping[str, Any]) -> str:
    """The trip of a person's act in words."""
    redirect = trip["redirect"]
    told = redirect if isinstance(redirect, str) else ", ".join(_told(trip, redirect))
    back = trip["to"] != trip["round"] or trip.get("what") == "rollback"
    where = f"back to round {trip['to']:,}" if back else "on from there"
    return (
        f"{trip.get('what')} by {trip[PERSON]} at round {trip['round']:,} of branch "
        f"{trip['branch']}, {where}, branch {trip['into']}; redirect: {told}"
    )


def _told(trip: Mapping[str, Any], redirect: Mapping[str, Any]) -> list[str]:
    """What a redirect changes, in words: values before and after, then all other keys."""
    before, after = trip.get("before", {}), trip.get("after", {})
    values = [f"{key} {before.get(key)} -> {value}" for key, value in after.items()]
    others = {key: value for key, value in redirect.items() if key not in ("kpi", "market")}
    return values + [key if value is True else f"{key} {value}" for key, value in others.items()]


# --- a breaker that a person trips ----------------------------------------------------------------


def in_full(request: ActRequest, arms: Mapping[str, Arm]) -> ActRequest:
    """A request as it is carried out: to trip a breaker by hand is to ask for its rollback now.

    The ledger has it as a rollback whose reason names the breaker. Its count of trips stays.

    Args:
        request: any act.
        arms: what is trained, by name.

    Raises:
        ConfigError: the breaker is unknown, or does not roll back.
    """
    if request.act != TRIP:
        return request
    breaker = _breaker(request, arms)
    changes: dict[str, Any] | str = NONE if breaker.redirect == NONE else breaker.changes.plain
    # A breaker that names no state goes back to the last one before it was first outside. Nothing
    # is outside here, so that is the last state that was kept.
    to = f"-{breaker.to}" if isinstance(breaker.to, int) else breaker.to or ""
    return request.model_copy(
        update={
            "act": ROLLBACK,
            "to": to,
            "redirect": changes,
            "breaker": "",
            "reason": f"breaker {request.breaker} tripped by hand: {request.reason}",
        }
    )


def _breaker(request: ActRequest, arms: Mapping[str, Arm]) -> BreakerConfig:
    """The breaker that is meant.

    Raises:
        ConfigError: there is none of that name, in one arm alone, or it does not roll back.
    """
    chosen = {name: arm for name, arm in arms.items() if request.arm in ("", name)}
    having = [arm for arm in chosen.values() if request.breaker in arm.breakers]
    if not having:
        known = dict.fromkeys(name for arm in chosen.values() for name in arm.breakers)
        raise ConfigError(
            f"breaker: there is no '{request.breaker}'. {nearest(request.breaker, known)}"
        )
    if len(having) > 1:
        names = ", ".join(arm.name for arm in having)
        raise ConfigError(f"arm: {names} have a breaker {request.breaker}; which is meant?")
    breaker = having[0].breakers[request.breaker]
    if breaker.action != ROLLBACK:
        raise ConfigError(
            f"breaker: {request.breaker} does not roll back; what it does is the act "
            f"{breaker.action}."
        )
    return breaker
