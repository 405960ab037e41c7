"""Tables of KPIs and agents, by role or seat, after an arm's and the command line's changes."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from tacit.agents.registry import AGENTS, make_config
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Market
from tacit.envs.registry import MARKETS

from . import files


def collect(mistakes: list[str], make: Any) -> Any:
    """`make()`, or None with its mistakes added to the list."""
    try:
        return make()
    except ConfigError as error:
        mistakes += error.mistakes
        return None


def as_table(value: Any, key: str) -> dict[str, Any]:
    """A value that must be a table of keys."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"{key}: must be a table of keys, got {value!r}.")
    return dict(value)


# --- KPI: roles or seats, refined by dotted keys --------------------------------------------------


def kpi_table(market: Market, base: Any, settings: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The table by role or seat after the arm's and the command line's changes."""
    table = _full_kpi(market, _load_kpi(base))
    for key, value in settings:
        parts = key.split(".", 2)
        if parts[0] != "kpi":
            continue
        if len(parts) == 1:
            table = _full_kpi(market, _load_kpi(value))
        elif len(parts) == 2:
            table[parts[1]] = value
        else:
            _set_term(market, table, parts[1], parts[2], value)
    return table


def _load_kpi(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return files.read_yaml(files.find(value, ("kpis",), "kpi"))
    return copy.deepcopy(as_table(value, "kpi"))


def _full_kpi(market: Market, table: dict[str, Any]) -> dict[str, Any]:
    """Roles that the table leaves out have the KPI of the market's YAML, else its default."""
    default = _load_kpi(market_file(market.name).get("kpi", {}))
    missing = {r.name: default.get(r.name, {r.default_kpi: 1.0}) for r in market.roles}
    return missing | table


def _set_term(market: Market, table: dict[str, Any], owner: str, rest: str, value: Any) -> None:
    """`kpi.bidder.price_change=-1`; a seat without a table of its own starts from its role's."""
    roles = {seat.name: seat.role.name for seat in market.seats}
    if owner not in table and owner in roles:
        table[owner] = copy.deepcopy(table[roles[owner]])
    terms = table.setdefault(owner, {})
    if not isinstance(terms, dict):
        return  # kpis.resolve tells what is wrong with it
    term, _, field_name = rest.partition(".")
    known = terms.get(term)
    if field_name or (isinstance(known, Mapping) and not isinstance(value, Mapping)):
        long_form = dict(known) if isinstance(known, Mapping) else {}
        if known is not None and not isinstance(known, Mapping):
            long_form["weight"] = known
        terms[term] = {**long_form, (field_name or "weight"): value}
    else:
        terms[term] = value


# --- agents: roles or seats, replaced as a whole or refined by key --------------------------------


def agent_configs(
    market: Market, base: Mapping[str, Any], settings: Sequence[tuple[str, Any]]
) -> dict[str, BaseModel]:
    """Every seat's agent: its own entry, else its role's, else the market's default one."""
    roles = {seat.name: seat.role.name for seat in market.seats}
    table: dict[str, dict[str, Any]] = {}
    mistakes: list[str] = []
    for role in market.roles:
        table[role.name] = _default_agent(market, role.name)
    # (in a table, roles come before the seats that refine them, whatever their order there)
    entries = sorted(base.items(), key=lambda entry: entry[0] in roles)
    for key, value in settings:
        if key == "agents":
            entries += collect(mistakes, lambda v=value: as_table(v, "agents").items()) or []
        elif key.startswith("agents."):
            entries.append((key.removeprefix("agents."), value))
    for key, value in entries:
        owner, _, rest = key.partition(".")
        if owner not in roles and owner not in set(roles.values()):
            known = [*roles, *dict.fromkeys(roles.values())]
            # (an entry for a role that the market lacks under these keys is not a mistake)
            if owner not in market_file(market.name).get("agents", {}):
                mistakes.append(f"agents.{owner}: unknown role or seat. {nearest(owner, known)}")
            continue
        start = table.get(owner) or table.get(roles.get(owner, ""), {})
        collect(mistakes, lambda o=owner, r=rest, v=value, s=start: _enter(table, o, r, v, s))
    configs: dict[str, BaseModel] = {}
    for owner, values in table.items():
        made = collect(mistakes, lambda o=owner, v=values: make_config(v, f"agents.{o}"))
        if made is not None:
            configs[owner] = made
    if mistakes:
        raise ConfigError(mistakes)
    return {seat: configs.get(seat) or configs[role] for seat, role in roles.items()}


def _enter(
    table: dict[str, dict[str, Any]], owner: str, rest: str, value: Any, start: Mapping[str, Any]
) -> None:
    """Replace (`bidder: ippo`, `bidder: {name: ...}`) or refine (`bidder.discount: .9`)."""
    if rest and rest != "name":
        table[owner] = _refined(start, rest, value)
    elif isinstance(value, str):
        table[owner] = _load_agent(value, f"agents.{owner}")
    elif isinstance(value, Mapping):
        table[owner] = dict(value) if "name" in value else {**start, **value}
    else:
        raise ConfigError(f"agents.{owner}: must be a name or a table, got {value!r}.")


def _refined(table: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy in which one value is another; a path leads into tables: `kwargs.n_epochs`."""
    key, _, rest = path.partition(".")
    inner = table.get(key)
    below = inner if isinstance(inner, Mapping) else {}
    return {**table, key: _refined(below, rest, value) if rest else value}


def _load_agent(name: str, key: str) -> dict[str, Any]:
    if name in AGENTS:
        return {"name": name}
    known = [*AGENTS, *files.names("agents")]
    if name not in known and not name.endswith((".yaml", ".yml")):
        raise ConfigError(f"{key}: unknown agent '{name}'. {nearest(name, known)}")
    return files.read_yaml(files.find(name, ("agents",), key))


def market_file(name: Any) -> dict[str, Any]:
    """The YAML of a market, the layer below every experiment in it; empty for an unknown one."""
    if str(name) not in MARKETS:
        return {}
    return files.read_yaml(files.find(str(name), ("markets",), "market.name"))


def _default_agent(market: Market, role: str) -> dict[str, Any]:
    entry = market_file(market.name).get("agents", {}).get(role, "q_learning")
    return _load_agent(entry, f"agents.{role}") if isinstance(entry, str) else dict(entry)
