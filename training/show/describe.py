"""What `tacit list NAME` and `tacit show` say, as plain lines and tables."""

from __future__ import annotations

from typing import Any

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tacit.agents.policy import PolicyTable
from tacit.envs.market import Market, Role


def keys(model: type[BaseModel]) -> list[tuple[str, str, str, str]]:
    """(key, default, bounds, meaning) of every key of a config model."""
    rows = []
    for name, info in model.model_fields.items():
        if name == "name":
            continue
        rows.append((name, _default(info), bounds(info), info.description or ""))
    return rows


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        value = value.model_dump()
        return "{" + ", ".join(f"{k}: {v}" for k, v in value.items()) + "}"
    if isinstance(value, tuple):
        value = list(value)
    return (
        "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    )


def bounds(info: FieldInfo) -> str:
    """Bounds or choices of a key, from its type."""
    shown = [_bound(m) for m in _metadata(info)]
    text = ", ".join(x for x in shown if x)
    choices = _choices(info.annotation)
    return text or " | ".join(choices)


def _metadata(info: FieldInfo) -> list[Any]:
    found = list(info.metadata)
    for part in getattr(info.annotation, "__args__", ()):
        found += list(getattr(part, "__metadata__", ()))
    return [m for extra in found for m in (getattr(extra, "metadata", None) or [extra])]


def _bound(m: Any) -> str:
    signs = ((annotated_types.Ge, ">=", "ge"), (annotated_types.Gt, ">", "gt"),
             (annotated_types.Le, "<=", "le"), (annotated_types.Lt, "<", "lt"))  # fmt: skip
    for kind, sign, attribute in signs:
        if isinstance(m, kind):
            return f"{sign} {getattr(m, attribute)}"
    return ""


def _choices(annotation: Any) -> list[str]:
    args = getattr(annotation, "__args__", ())
    if annotation is bool:
        return ["true", "false"]
    words = [str(a) for a in args if isinstance(a, str)]
    return words or [c for a in args for c in _choices(a)]


def role_lines(market: Market) -> list[str]:
    """Roles with sizes of their tables."""
    return [
        f"{role.name} x {role.seats}: observations {role.observations:,}, actions {role.actions}, "
        f"fundamental {role.fundamental}, default KPI {role.default_kpi} 1"
        for role in market.roles
    ]


def policy_lines(role: Role, table: PolicyTable, most: int = 40) -> list[str]:
    """A policy in words: what it does at each observation where it has a choice.

    Observations in a row that lead to the same action are told together.
    """
    told: list[tuple[str, list[str]]] = []
    for o in range(role.observations):
        if role.legal[o, 1] == 1:
            continue
        told_seen, act = seen_as(role, o), does(role, table[o])
        if told and told[-1][0] == act:
            told[-1][1].append(told_seen)
        else:
            told.append((act, [told_seen]))
    lines = [f"{_when(seen)}: {act}" for act, seen in told[:most]]
    if len(told) > most:
        lines.append(f"... and {len(told) - most} more lines")
    return lines


def _when(seen: list[str]) -> str:
    if not seen[0]:
        return "always"
    return f"after {seen[0]}" if len(seen) == 1 else f"from {seen[0]} to {seen[-1]}"


def seen_as(role: Role, observation: int) -> str:
    """`last price 0.3, value 1`: what an observation shows, without parts of one value."""
    seen = role.decode_observation(observation)
    return ", ".join(
        f"{_told(p.name)} {value(seen[p.name])}"
        for p in role.observation_parts[1:]
        if p.name in seen and len(p.values) > 1
    )


def _told(name: str) -> str:
    """`last price_0`: the number of whom it is about stays attached."""
    words, _, number = name.rpartition("_")
    return f"{words.replace('_', ' ')}_{number}" if number.isdigit() else name.replace("_", " ")


def does(role: Role, row: Any, bare: bool = False) -> str:
    """`bid 0.3 (80%) or bid 0.4 (20%)`: the likeliest actions of a row of a policy table.

    `bare`: an action that is a word stands without its part's name.
    """
    likely = [(float(p), a) for a, p in enumerate(row) if p > 0.005]
    likely.sort(reverse=True)
    if len(likely) > 2 and likely[0][0] - likely[-1][0] < 1e-9:
        return f"any of {len(likely)}, all equally likely"
    parts = []
    for p, a in likely[:4]:
        decoded = role.decode_action(a)
        words = bare and len(decoded) == 1 and isinstance(next(iter(decoded.values())), str)
        action = ", ".join(v if words else f"{k} {value(v)}" for k, v in decoded.items())
        parts.append(action if p > 0.995 else f"{action} ({p:.0%})")
    return " or ".join(parts) + (" or others" if len(likely) > 4 else "")


def value(amount: Any) -> str:
    """A part's value; numbers to three digits."""
    return f"{amount:.3g}" if isinstance(amount, float) else str(amount)
