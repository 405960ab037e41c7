"""The KPI table of an arm: roles or seats, refined by dotted keys (`kpi.bidder.profit=2`)."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from tacit.envs.market import Market

from . import files
from .layers import Setting, as_table, market_file


def kpi_table(market: Market, base: Any, settings: Sequence[Setting]) -> dict[str, Any]:
    """The table by role or seat after the arm's and the command line's changes, not yet checked.

    Args:
        market: the market whose roles and seats are paid.
        base: the experiment file's `kpi`: a table, a name in configs/kpis, or a file.
        settings: dotted keys; those of other groups are passed over.

    Raises:
        ConfigError: a KPI that is no table, or an unknown name or file.
    """
    table = _with_defaults(market, _load_kpi(base))
    for key, value in settings:
        group, *path = key.split(".", 2)
        if group != "kpi":
            continue
        if not path:
            table = _with_defaults(market, _load_kpi(value))
        elif len(path) == 1:
            table[path[0]] = value
        else:
            _set_term(market, table, path[0], path[1], value)
    return table


def _load_kpi(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return files.read_yaml(files.find(value, ("kpis",), "kpi"))
    return copy.deepcopy(as_table(value, "kpi"))


def _with_defaults(market: Market, table: dict[str, Any]) -> dict[str, Any]:
    """Roles that the table leaves out get the KPI of the market's YAML, else the role's default."""
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
        return  # `envs.kpi.resolve` reports what is wrong with it
    term, _, field_name = rest.partition(".")
    known = terms.get(term)
    if field_name or (isinstance(known, Mapping) and not isinstance(value, Mapping)):
        # One field of the long form is set; the short form `measure: weight` is widened first.
        long_form = dict(known) if isinstance(known, Mapping) else {}
        if known is not None and not isinstance(known, Mapping):
            long_form["weight"] = known
        terms[term] = {**long_form, (field_name or "weight"): value}
    else:
        terms[term] = value
