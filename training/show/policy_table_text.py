"""Policy tables in words: what a seat sees, what it does, line by line."""

from __future__ import annotations

from typing import Any

from tacit.agents.policy import PolicyTable
from tacit.envs.market import Role
from tacit.envs.types import Floats

MOST_LINES = 40  # of a table
MOST_ACTIONS = 4  # of one row of it, the likeliest first
RARE = 0.005  # actions of a lower probability are not named; of one above 1 - RARE only the action


def table_lines(role: Role, table: PolicyTable, most: int = MOST_LINES) -> list[str]:
    """What a policy does at each observation where it has a choice.

    Neighbouring observations that lead to the same action share a line.

    Args:
        role: whose table it is.
        table: action probabilities, float64 `[O, A]`.
        most: how many lines at most.
    """
    groups: list[tuple[str, list[str]]] = []  # an action, the observations that lead to it
    for o in range(role.observations):
        if role.legal[o, 1] == 1:  # a single legal action is no choice
            continue
        seen, action = observation_text(role, o), action_text(role, table[o])
        if groups and groups[-1][0] == action:
            groups[-1][1].append(seen)
        else:
            groups.append((action, [seen]))
    lines = [f"{_condition(seen)}: {action}" for action, seen in groups[:most]]
    if len(groups) > most:
        lines.append(f"... and {len(groups) - most} more lines")
    return lines


def _condition(seen: list[str]) -> str:
    """`always`, `after A`, or `from A to B` for neighbouring observations."""
    if not seen[0]:  # the role sees nothing that could differ
        return "always"
    return f"after {seen[0]}" if len(seen) == 1 else f"from {seen[0]} to {seen[-1]}"


def observation_text(role: Role, observation: int) -> str:
    """`last price 0.3, value 1`: what an observation shows, but for what never differs."""
    seen = role.decode_observation(observation)
    return ", ".join(
        f"{part_text(part.name)} {value_text(seen[part.name])}"
        for part in role.observation_parts[1:]  # the first part is the phase
        if part.name in seen and len(part.values) > 1
    )


def part_text(name: str) -> str:
    """`last price_0` for `last_price_0`: the number of a seat stays attached."""
    words, _, number = name.rpartition("_")
    return f"{words.replace('_', ' ')}_{number}" if number.isdigit() else name.replace("_", " ")


def action_text(role: Role, probabilities: Floats, bare: bool = False) -> str:
    """`bid 0.3 (80%) or bid 0.4 (20%)`: the likeliest actions of a row of a policy table.

    Args:
        role: who acts.
        probabilities: float64 `[A]`.
        bare: an action that is one word is shown without the name of its part.
    """
    likely = [(float(p), a) for a, p in enumerate(probabilities) if p > RARE]
    likely.sort(reverse=True)
    if len(likely) > 2 and likely[0][0] - likely[-1][0] < 1e-9:
        return f"any of {len(likely)}, all equally likely"
    texts = []
    for p, a in likely[:MOST_ACTIONS]:
        text = _one_action(role.decode_action(a), bare)
        texts.append(text if p > 1 - RARE else f"{text} ({p:.0%})")
    return " or ".join(texts) + (" or others" if len(likely) > MOST_ACTIONS else "")


def _one_action(parts: dict[str, Any], bare: bool) -> str:
    values = list(parts.values())
    if bare and len(values) == 1 and isinstance(values[0], str):
        return values[0]
    return ", ".join(f"{name} {value_text(value)}" for name, value in parts.items())


def value_text(value: Any) -> str:
    """A part's value; numbers to three digits."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
