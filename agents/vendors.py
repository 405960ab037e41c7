"""The group `policies` of a configuration: its checks, and the KPIs of a shared objective."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Market
from tacit.envs.market.own_first import ComparesSeats, as_seen_from

from .batch.config import BatchConfig
from .tabular.config import QLearningConfig
from .vendor import DATA, LEARNING, OBJECTIVE, SHARES, WEIGHTS, Vendor, Vendors

KEYS = ("seats", "share")


def parse_vendors(market: Market, raw: Any) -> Vendors:
    """The vendors of `policies`, checked against the market's seats.

    Args:
        market: whose seats they run.
        raw: the group `policies` of an arm after every layer; one that is null is left out.

    Raises:
        ConfigError: every mistake: no table, unknown keys, seats or shares, a seat in two vendors,
            seats of two roles or with different grids, one seat alone.
    """
    if not isinstance(raw, Mapping):
        raise ConfigError(f"policies: must be a table of vendors, got {raw!r}.")
    mistakes: list[str] = []
    found, taken = list[Vendor](), dict[str, str]()
    for name, value in raw.items():
        where = f"policies.{name}"
        if value is None:
            continue
        seats, share, wrong = _parts(value, where)
        wrong += _wrong_names(market, seats, share, where)
        for seat in dict.fromkeys(seats):
            if seat in taken:
                wrong.append(f"{where}: {seat} is run by {taken[seat]} already.")
            taken.setdefault(seat, str(name))
        order = [s.name for s in market.seats if s.name in seats]
        vendor = Vendor(str(name), tuple(order), tuple(s for s in SHARES if s in share))
        if not wrong and vendor.share != (OBJECTIVE,):
            wrong += _unlike(market, vendor, where)
        mistakes += wrong
        found.append(vendor)
    if mistakes:
        raise ConfigError(mistakes)
    return tuple(found)


def _parts(value: Any, where: str) -> tuple[list[str], list[str], list[str]]:
    """The seats and the shares of one entry, and what is wrong with their form."""
    table = dict(value) if isinstance(value, Mapping) else {"seats": value}
    wrong = [f"{where}.{key}: unknown key. {nearest(str(key), KEYS)}"
             for key in table if key not in KEYS]  # fmt: skip
    seats, share = table.get("seats"), table.get("share", [WEIGHTS])
    if not isinstance(seats, list) or not all(isinstance(seat, str) for seat in seats):
        wrong.append(f"{where}.seats: must be a list of seats, got {seats!r}.")
        seats = []
    if isinstance(share, str):
        share = [share]
    if not isinstance(share, list) or not share:
        wrong.append(f"{where}.share: must be a list of {', '.join(SHARES)}, got {share!r}.")
        share = []
    return seats, [str(what) for what in share], wrong


def _wrong_names(
    market: Market, seats: Sequence[str], share: Sequence[str], where: str
) -> list[str]:
    """Unknown seats and shares, too few seats, and seats of several roles."""
    known = {seat.name: seat.role.name for seat in market.seats}
    wrong = [f"{where}: unknown seat '{s}'. {nearest(s, known)}" for s in seats if s not in known]
    wrong += [f"{where}.share: unknown '{what}'. {nearest(what, SHARES)}"
              for what in share if what not in SHARES]  # fmt: skip
    wrong += [f"{where}: names {s} twice." for s in dict.fromkeys(seats) if seats.count(s) > 1]
    if len(set(seats)) == 1:
        wrong.append(f"{where}: a vendor needs at least two seats, or it shares nothing; got one.")
    roles = dict.fromkeys(known[seat] for seat in seats if seat in known)
    if len(roles) > 1:
        wrong.append(f"{where}: seats must be of one role, got {' and '.join(roles)}.")
    return wrong


def _unlike(market: Market, vendor: Vendor, where: str) -> list[str]:
    """What keeps one table from meaning the same in all seats of a vendor."""
    seats = [market.seat(name) for name in vendor.seats]
    own: object = None if market.analysis_class is None else market.analysis
    if isinstance(own, ComparesSeats) and (reason := own.unlike(seats)) is not None:
        return [f"{where}: one table cannot serve {', '.join(vendor.seats)}: {reason}."]
    try:
        for seat in seats:
            as_seen_from(market, seat, seats[0], vendor.seats)
    except ConfigError as error:
        return [f"{where}: {line}, so one table cannot serve its seats." for line in error.mistakes]
    return []


def check_sharing(vendors: Vendors, kpi: kpis.KpiTable, agents: Mapping[str, BaseModel]) -> None:
    """Whether the agents can share what they are to share.

    Args:
        vendors: of the arm.
        kpi: what every seat is paid for, before an objective is shared.
        agents: by seat.

    Raises:
        ConfigError: all that do not fit.
    """
    mistakes = [line for vendor in vendors for line in _misfits(vendor, kpi, agents)]
    if mistakes:
        raise ConfigError(mistakes)


def _misfits(vendor: Vendor, kpi: kpis.KpiTable, agents: Mapping[str, BaseModel]) -> Iterator[str]:
    """Agents and KPIs of a vendor's seats that do not allow what it shares."""
    where, first = f"policies.{vendor.name}", vendor.seats[0]
    terms = kpis.canonical(kpi)
    yield from wrong_updates([vendor], agents)
    for seat in vendor.seats[1:]:
        if WEIGHTS in vendor.share and agents[seat] != agents[first]:
            yield f"{where}: weights need one agent; those of {first} and {seat} differ."
        if {WEIGHTS, DATA} & {*vendor.share} and terms[seat] != terms[first]:
            yield (
                f"{where}: {'weights' if WEIGHTS in vendor.share else 'data'} need one KPI; "
                f"those of {first} and {seat} differ."
            )


def wrong_updates(vendors: Sequence[Vendor], agents: Mapping[str, BaseModel]) -> list[str]:
    """A line for each seat whose agent cannot share learning: asynchronous q_learning can."""
    found = []
    for vendor in vendors:
        for seat in vendor.seats if vendor.shares_learning else ():
            config = agents[seat]
            if not isinstance(config, QLearningConfig) or config.update != "asynchronous":
                what = str(vars(config).get("name"))
                kind = f"{what} that updates all actions" if what == "q_learning" else what
                shared = ", ".join(s for s in vendor.share if s in LEARNING)
                found.append(
                    f"policies.{vendor.name}: {shared} can be shared by q_learning that updates "
                    f"the action taken; {seat} has {kind}."
                )
    networks = [seat for seat, config in agents.items() if isinstance(config, BatchConfig)]
    if networks and not found and any(vendor.shares_learning for vendor in vendors):
        found.append(
            f"policies: {networks[0]} updates in batches; beside it an objective alone can be "
            "shared."
        )
    return found


# --- a shared objective ---------------------------------------------------------------------------


def with_shared_objectives(market: Market, kpi: kpis.KpiTable, vendors: Vendors) -> kpis.KpiTable:
    """The KPI in which each seat of a vendor with OBJECTIVE is paid the sum over its seats.

    Terms of another seat are called `TERM_of_SEAT`; the sum runs over the seats in their order, so
    all of them are paid the same number, to the bit.

    Args:
        market: that is played.
        kpi: resolved, each seat's own terms.
        vendors: of the arm.
    """
    found = dict(kpi)
    for vendor in vendors:
        if OBJECTIVE in vendor.share:
            for seat in vendor.seats:
                found[seat] = {
                    name: term
                    for other in vendor.seats
                    for name, term in _terms_for(market, kpi, seat, other)
                }
    return found


def _terms_for(
    market: Market, kpi: kpis.KpiTable, seat: str, other: str
) -> Iterator[tuple[str, kpis.Term]]:
    """The KPI of `other` as terms of `seat`, by name; scopes name seats, since `own` is another."""
    if seat == other:
        yield from kpi[seat].items()
        return
    peers = [s.name for s in market.seats if s.role is market.seat(other).role and s.name != other]
    for name, term in kpi[other].items():
        if term.scope == "rivals":  # a mean over seats that no scope of `seat` names
            for rival in peers:
                changes = {"scope": rival, "weight": term.weight / len(peers)}
                yield f"{name}_of_{other}_from_{rival}", term.model_copy(update=changes)
        else:
            scope = other if term.scope == "own" else term.scope
            yield f"{name}_of_{other}", term.model_copy(update={"scope": scope})
