"""Settings of arms as flat tables of dotted keys, and the settings in which arms differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .arms import Arm

ABSENT = "-"  # the value shown for a setting that an arm does not have


def flat_settings(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one table: `{"market": {"bids": 19}}` becomes `{"market.bids": 19}`."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        flat |= flat_settings(value, name) if isinstance(value, Mapping) else {name: value}
    return flat


def settings_by_role(arm: Arm) -> dict[str, Any]:
    """An arm's market, training, KPI weights and agents as dotted keys.

    KPIs and agents are listed under the role's name where all its seats agree, else under each
    seat's. A measure that no term prices has weight 0, so that every arm of a market has the same
    weights.
    """
    table: dict[str, Any] = {"market": arm.plain["market"], "train": arm.plain["train"]}
    for group in ("kpi", "agents"):
        table[group] = _by_owner(arm, arm.plain[group])
    if arm.vendors:
        table["policies"] = arm.plain["policies"]
    table["kpi"] = {
        owner: _zero_weights(arm, owner) | {name: term["weight"] for name, term in terms.items()}
        for owner, terms in table["kpi"].items()
    }
    return flat_settings(table)


def differing_settings(arms: Mapping[str, Arm]) -> dict[str, dict[str, Any]]:
    """By arm, the settings in which the arms differ; every arm has the same keys.

    A KPI weight that an arm lacks is 0, any other setting is `ABSENT`.
    """
    settings = {name: settings_by_role(arm) for name, arm in arms.items()}
    keys = dict.fromkeys(key for own in settings.values() for key in own)
    filled = {
        name: {key: own.get(key, 0.0 if key.startswith("kpi.") else ABSENT) for key in keys}
        for name, own in settings.items()
    }
    # Compared as text: lists cannot be members of a set.
    varied = [key for key in keys if len({str(own[key]) for own in filled.values()}) > 1]
    return {name: {key: own[key] for key in varied} for name, own in filled.items()}


def column_values(differing: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The settings that are worth a column of a table, each with the values that arms have there.

    A key that only some arms have (those with another agent, say) is worth one if it differs among
    these; an agent's name always is.

    Args:
        differing: what `differing_settings` returns.
    """
    columns = {}
    for key in next(iter(differing.values()), {}):
        values = [own[key] for own in differing.values() if own[key] != ABSENT]
        if key.endswith(".name") or len({str(value) for value in values}) > 1:
            columns[key] = values
    return columns


def _by_owner(arm: Arm, by_seat: Mapping[str, Any]) -> dict[str, Any]:
    """One entry a role where all its seats have the same one, else one a seat."""
    by_owner: dict[str, Any] = {}
    for role in arm.market.roles:
        own = {s.name: by_seat[s.name] for s in arm.market.seats if s.role.name == role.name}
        values = list(own.values())
        agree = all(value == values[0] for value in values)
        by_owner |= {role.name: values[0]} if agree else own
    return by_owner


def _zero_weights(arm: Arm, owner: str) -> dict[str, float]:
    """Weight 0 for every measure of the owner's role."""
    role = next(s.role.name for s in arm.market.seats if owner in (s.name, s.role.name))
    return {measure.name: 0.0 for measure in arm.market.measured(role)}
