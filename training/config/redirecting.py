"""What a redirect makes of a market, its KPI, what seats are shown, and how they learn.

    memory: off             what is of earlier rounds is shown as a constant
    rivals_data: none       what is a rival's is shown as a constant
    rivals_data: 3          what is a rival's is 3 rounds old
    updates: synchronous    Q-learners update all their actions, against their rivals' actual ones
    policies: separate      seats of a vendor are trained apart from now on, each from its own copy

What is of earlier rounds and what is a rival's says the market (`oversight/observed_data.py`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from tacit.agents.tabular.config import QLearningConfig, check_synchronous
from tacit.agents.vendor import WEIGHTS, Vendors
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Market
from tacit.envs.shown import shown_market, view_of
from tacit.oversight.observed_data import remembered_parts, rival_parts

from .layers import as_table
from .mistakes import MistakeList

if TYPE_CHECKING:
    from .breaker_settings import BreakerConfig, RedirectConfig

OFF, NOTHING, SYNCHRONOUS, SEPARATE = "off", "none", "synchronous", "separate"
MOST_ROUNDS = 100  # that a rival's data may be old

Agents = dict[str, BaseModel]


def on_one_line(table: Mapping[str, Any]) -> str:
    """A table of settings as text: `{bidder: {price_change: 0}}`."""
    cells = (f"{k}: {on_one_line(v) if isinstance(v, Mapping) else v}" for k, v in table.items())
    return f"{{{', '.join(cells)}}}"


def as_shown(
    market: Market, memory: str | None, rivals_data: str | int | None, prefix: str = ""
) -> Market:
    """A market with what seats are shown there; what is hidden already stays hidden.

    Args:
        market: as it is.
        memory: OFF, or None: as it is.
        rivals_data: NOTHING, or how many rounds old; None: as it is.
        prefix: what messages put before a key.

    Raises:
        ConfigError: every key that has no meaning there.
    """
    if memory is None and rivals_data is None:
        return market
    view = view_of(market)
    plain, mistakes = view.market, MistakeList()
    rivals = {seat.name: rival_parts(plain, seat) for seat in plain.seats}
    hidden = {s.name: set() if view.rounds else {*view.hidden.get(s.name, ())} for s in plain.seats}
    if memory == OFF:
        remembered = {seat.name: remembered_parts(plain, seat) for seat in plain.seats}
        if not any(remembered.values()):
            mistakes.append(
                f"{prefix}memory: seats see nothing of earlier rounds in {plain.name}, as it is "
                "set here."
            )
        hidden = {name: parts | set(remembered[name]) for name, parts in hidden.items()}
    if rivals_data is not None and not any(rivals.values()):
        mistakes.append(
            f"{prefix}rivals_data: {plain.name} declares nothing that seats see as a rival's."
        )
    mistakes.raise_if_any()
    if rivals_data == NOTHING:
        hidden = {name: parts | set(rivals[name]) for name, parts in hidden.items()}
    if isinstance(rivals_data, int):
        if any(hidden.values()):
            raise ConfigError(
                f"{prefix}rivals_data: what is hidden, already or by memory: off, is not older."
            )
        return _older(plain, rivals, rivals_data, f"{prefix}rivals_data")
    return shown_market(plain, hidden)


def _older(
    market: Market, rivals: Mapping[str, Mapping[str, int]], rounds: int, key: str
) -> Market:
    """A market in which what seats see of rivals is so many rounds old.

    Args:
        market: as it is.
        rivals: names of parts, and how old they are, by seat.
        rounds: how old the youngest of them is to be.
        key: what messages begin with.
    """
    now = min(age for parts in rivals.values() for age in parts.values())
    if not now < rounds <= MOST_ROUNDS:
        raise ConfigError(
            f"{key}: must be none, or more rounds than the {now} that rivals' data are old, "
            f"at most {MOST_ROUNDS}, got {rounds}."
        )
    try:
        return shown_market(market, rivals, rounds - now)
    except ConfigError as error:
        raise ConfigError([f"{key}: {line}" for line in error.mistakes]) from None


def with_updates(market: Market, agents: Mapping[str, BaseModel], updates: str | None) -> Agents:
    """The agents of all seats, where Q-learners make synchronous updates.

    Args:
        market: that they play.
        agents: by seat.
        updates: SYNCHRONOUS, or None: as they are.

    Raises:
        ConfigError: no seat learns so that it could, or all do already; a market of several phases.
    """
    if updates is None:
        return dict(agents)
    able = {
        seat: config
        for seat, config in agents.items()
        if isinstance(config, QLearningConfig) and config.update != SYNCHRONOUS
    }
    if not able:
        kinds = ", ".join(dict.fromkeys(str(vars(c).get("name")) for c in agents.values()))
        raise ConfigError(
            f"updates: is for q_learning that updates the action taken; agents are {kinds} here, "
            "or do it already."
        )
    after: dict[str, Any] = dict(agents)
    for seat, config in able.items():
        after[seat] = config.model_copy(update={"update": SYNCHRONOUS})
    try:
        check_synchronous(market, after)
    except ConfigError:
        phases = ", ".join(market.phases)
        raise ConfigError(
            f"updates: synchronous needs a market of one phase; {market.name} has {phases} here."
        ) from None
    return after


def unfit_for_vendors(changes: RedirectConfig, vendors: Vendors) -> list[str]:
    """What a redirect asks for that does not go together with what seats share, a line each."""
    sharing = [vendor for vendor in vendors if vendor.shares_learning]
    if changes.policies == SEPARATE:
        if sharing:
            return []
        return ["policies: no seats share weights, data or draws here; nothing is to be separated."]
    held = [vendor.name for vendor in sharing if WEIGHTS in vendor.share]
    lines = []
    if changes.partners and held:
        lines.append(
            f"partners: the seats of {held[0]} hold one policy, which cannot go on in several "
            "seeds; add policies: separate."
        )
    if changes.updates and sharing:
        lines.append(
            f"updates: {sharing[0].name} shares learning, for which updates must be asynchronous; "
            "add policies: separate."
        )
    return lines


# --- what a redirect makes of a market and a KPI --------------------------------------------------


def redirected(
    market: Market, kpi: kpis.KpiTable, breaker: BreakerConfig, where: str = "breakers"
) -> tuple[Market, kpis.KpiTable]:
    """Market and KPI after a breaker's redirect.

    Args:
        market: before it.
        kpi: before it.
        breaker: a breaker that rolls back.
        where: what messages put before a key.

    Returns:
        The market, with what seats are shown there, and the KPI.

    Raises:
        ConfigError: unknown keys, roles, seats or measures; a market whose observations, actions,
            measures or state are not the same; something hidden that seats do not see.
    """
    changes, prefix = breaker.changes, f"{where}.redirect"
    mistakes, market_after, table = MistakeList(), market, kpi
    if changes.market:
        with mistakes.collecting():
            market_after = _other_market(market, changes.market, f"{prefix}.market")
    if changes.changes_view:
        with mistakes.collecting():
            market_after = as_shown(market_after, changes.memory, changes.rivals_data, f"{prefix}.")
    if changes.kpi:
        with mistakes.collecting():
            table = _other_kpi(market, kpi, changes.kpi, f"{prefix}.kpi")
    mistakes.raise_if_any()
    return market_after, table


def _other_market(market: Market, keys: Mapping[str, Any], prefix: str) -> Market:
    """The market with some keys changed, if seats see and do the same there."""
    values = {**market.config.model_dump(mode="json"), **keys}
    view = view_of(market)
    try:
        other = type(market)(values)
        if view.market is not market:
            other = shown_market(other, view.hidden, view.rounds)
    except ConfigError as error:
        lines = [line.removeprefix("market").removeprefix(".") for line in error.mistakes]
        raise ConfigError([f"{prefix}.{line}" for line in lines]) from None
    names = ", ".join(f"{key} {value}" for key, value in keys.items())
    changed = [what for what, own in _shape(market).items() if own != _shape(other)[what]]
    if changed:
        raise ConfigError(
            f"{prefix}: {names} changes {', '.join(changed)}, which what was learned is about."
        )
    return other


def _shape(market: Market) -> dict[str, Any]:
    """What must be the same for learners and copies of a market to go on in another one."""
    return {
        "seats": [seat.name for seat in market.seats],
        "phases": market.phases,
        "what seats see and do": [role.blocks for role in market.roles],
        "measures": [measure.name for measure in market.measures],
        "state": market.state_width,
    }


def _other_kpi(
    market: Market, kpi: kpis.KpiTable, weights: Mapping[str, Any], prefix: str
) -> kpis.KpiTable:
    """The KPI with other weights of its terms.

    It has the same terms, since what networks have learned is about each of them.
    """
    owners = [*kpi, *dict.fromkeys(role.name for role in market.roles)]
    mistakes = MistakeList(
        f"{prefix}.{owner}: unknown role or seat. {nearest(owner, owners)}"
        for owner in weights
        if owner not in owners
    )
    table: dict[str, dict[str, Any]] = kpis.canonical(kpi)
    # A seat's own weights are the last word, so its role's come first.
    for owner in sorted(weights, key=lambda name: name in kpi):
        where = f"{prefix}.{owner}"
        for seat in market.seats:
            if owner in (seat.name, seat.role.name):
                with mistakes.collecting():
                    own = table[seat.name]
                    for term, weight in as_table(weights[owner], where).items():
                        mistakes += _wrong_weight(term, weight, own, f"{where}.{term}")
                        if term in own:
                            own[term] = {**own[term], "weight": weight}
    mistakes.raise_if_any()
    return kpis.resolve(market, table, prefix)


def _wrong_weight(term: str, weight: Any, known: Mapping[str, Any], where: str) -> list[str]:
    """A line if a KPI has no such term, or it is no weight."""
    if term not in known:
        return [
            f"{where}: is no term of this KPI. {nearest(term, known)} (A term of weight 0 may be "
            "given another one.)"
        ]
    is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
    if not is_number or not math.isfinite(weight):
        return [f"{where}: must be a finite number, got {weight!r}."]
    return []
