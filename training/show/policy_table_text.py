"""Policy tables in words: what a seat sees, what it does, line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from tacit.agents.policy import PolicyTable
from tacit.envs.market import Part, Role
from tacit.envs.types import Floats

MOST_LINES = 40  # of a table, unless all are asked for
MOST_DECIMALS, NEAR = 6, 0.15  # of a number on a grid; by how much of a step it may be rounded
MOST_ACTIONS = 4  # of one row of it, the likeliest first
RARE = 0.005  # actions of a lower probability are not named; of one above 1 - RARE only the action


def table_lines(role: Role, table: PolicyTable) -> list[str]:
    """What a policy does at each observation where it has a choice.

    Neighbouring values that lead to the same action share a line, and a part of the observation on
    which nothing depends is not named: `after last price .45-.70: bid .50`.

    Args:
        role: whose table it is.
        table: action probabilities, float64 `[O, A]`.
    """
    grids = {part.name: part.values for block in role.blocks for part in block.does}
    lines = []
    for k, block in enumerate(role.blocks):
        start = role.block_start(k)
        if role.legal[start, 1] == 1:  # a single legal action is no choice
            continue
        rows = table[start : start + block.size]
        actions = [action_text(role, row, grids=grids) for row in rows]
        given = tuple(f"{part_name(part.name)} {value_text(value)}" for part, value in block.given)
        for conditions, action in _decisions(block.sees, actions):
            seen = ", ".join(given + conditions)
            lines.append(f"after {seen}: {action}" if seen else f"always: {action}")
    return lines


Decisions = list[tuple[tuple[str, ...], str]]  # conditions that hold together, and what is done


def _decisions(parts: Sequence[Part], actions: Sequence[str]) -> Decisions:
    """What is done after which values of some parts of an observation.

    Args:
        parts: what is seen, the slowest first.
        actions: what is done at each combination of their values, in order.
    """
    if not parts:
        return [((), actions[0])]
    first, others = parts[0], parts[1:]
    size = len(actions) // len(first.values)
    # Values after which everything else is decided alike are told together.
    groups: list[tuple[list[int], Decisions]] = []
    for k in range(len(first.values)):
        own = _decisions(others, actions[k * size : (k + 1) * size])
        if groups and groups[-1][1] == own:
            groups[-1][0].append(k)
        else:
            groups.append(([k], own))
    if len(groups) == 1:
        return groups[0][1]
    return [
        ((f"{part_name(first.name)} {range_text(first.values, where)}", *conditions), action)
        for where, own in groups
        for conditions, action in own
    ]


def range_text(values: Sequence[Any], where: Sequence[int]) -> str:
    """Neighbouring values of a part: `none or .05-.20`.

    Args:
        values: all that the part has.
        where: the places of those that are meant, one after the other.
    """
    words = [str(values[k]) for k in where if not _is_number(values[k])]
    numbers = [values[k] for k in where if _is_number(values[k])]
    if len(numbers) > 1:
        low, high = (grid_text(x, values) for x in (numbers[0], numbers[-1]))
        words.append(f"{low} to {high}" if "-" in low + high else f"{low}-{high}")
    elif numbers:
        words.append(grid_text(numbers[0], values))
    return " or ".join(words)


def grid_text(value: Any, grid: Sequence[Any]) -> str:
    """A number with as many decimals as tell it from its neighbours on the grid, without a leading
    zero: `.45`; anything else as text."""
    if not isinstance(value, float):
        return str(value)
    points = sorted({float(x) for x in grid if _is_number(x)})
    gap = min((b - a for a, b in pairwise(points)), default=abs(value) or 1.0)
    decimals = 0
    while decimals < MOST_DECIMALS and any(
        abs(x - round(x, decimals)) > NEAR * gap for x in points
    ):
        decimals += 1
    text = f"{value:.{decimals}f}"
    if float(text) == 0.0:
        return "0"
    return text.replace("0.", ".", 1) if abs(value) < 1 and decimals else text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def observation_text(role: Role, observation: int) -> str:
    """`last price 0.3, value 1`: what an observation shows, but for what never differs."""
    seen = role.decode_observation(observation)
    return ", ".join(
        f"{part_name(part.name)} {value_text(seen[part.name])}"
        for part in role.observation_parts[1:]  # the first part is the phase
        if part.name in seen and len(part.values) > 1
    )


def part_name(name: str) -> str:
    """`last price_0` for `last_price_0`: the number of a seat stays attached."""
    words, _, number = name.rpartition("_")
    return f"{words.replace('_', ' ')}_{number}" if number.isdigit() else name.replace("_", " ")


def parts_text(
    parts: Mapping[str, Any], bare: bool = True, grids: Mapping[str, Sequence[Any]] | None = None
) -> str:
    """`price 0.8, claim scarce`.

    Args:
        parts: values by name.
        bare: a single part that is a word is shown without its name: `refuse`.
        grids: the values that each part can have, if numbers are to be as short as these allow.
    """
    values = list(parts.values())
    if bare and len(values) == 1 and isinstance(values[0], str):
        return values[0]
    known = grids or {}
    return ", ".join(
        f"{part_name(name)} {grid_text(value, known[name]) if name in known else value_text(value)}"
        for name, value in parts.items()
    )


def action_text(
    role: Role,
    probabilities: Floats,
    bare: bool = False,
    grids: Mapping[str, Sequence[Any]] | None = None,
) -> str:
    """`bid 0.3 (80%) or bid 0.4 (20%)`: the likeliest actions of a row of a policy table.

    Args:
        role: who acts.
        probabilities: float64 `[A]`.
        bare: an action that is one word is shown without the name of its part.
        grids: as for `parts_text`.
    """
    likely = [(float(p), a) for a, p in enumerate(probabilities) if p > RARE]
    likely.sort(reverse=True)
    if len(likely) > 2 and likely[0][0] - likely[-1][0] < 1e-9:
        return f"any of {len(likely)}, all equally likely"
    texts = []
    for p, a in likely[:MOST_ACTIONS]:
        text = parts_text(role.decode_action(a), bare, grids)
        texts.append(text if p > 1 - RARE else f"{text} ({p:.0%})")
    return " or ".join(texts) + (" or others" if len(likely) > MOST_ACTIONS else "")


def value_text(value: Any) -> str:
    """A part's value; numbers to three digits."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
