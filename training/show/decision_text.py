"""Sentences about decisions: conduct by a private value, or what is done in a phase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tacit.emergence.play.visits import visits
from tacit.emergence.population import FrozenPopulation
from tacit.envs.market import Block, Part, Role, Seat

from .conduct_text import conduct_of
from .policy_table_text import RARE, action_text, observation_text, value_text

ANSWERS = 6  # of a phase, the most frequent first
NAMED = 3  # observations that lead to one of them
DIGITS = 6  # to which rows of probabilities must agree to be one answer


def private_number(population: FrozenPopulation, seat: Seat, block: Block) -> Part | None:
    """A number that only this seat knows, drawn anew each round, where it chooses its conduct."""
    analysis = population.market.analysis
    rivalry = analysis.rivalry.get(seat.role.name)
    if rivalry is None or not rivalry.amounts:
        return None
    if rivalry.part not in [part.name for part in block.does]:
        return None
    for part in block.sees:
        drawn_anew = analysis.part_probabilities(seat, part.name) is not None
        if drawn_anew and len(part.values) > 1 and isinstance(part.values[0], float):
            return part
    return None


def value_sentences(population: FrozenPopulation, seat: Seat, k: int, part: Part) -> Iterator[str]:
    """Mean conduct by private value in block number k, weighted by how often each observation is
    met; then how far that lies from the value."""
    role, block, name = seat.role, seat.role.blocks[k], conduct_of(population, seat)
    rows = slice(role.block_start(k), role.block_start(k) + block.size)
    met = visits(population)[seat.index][rows]
    table = population.tables[seat.index][rows]
    act = population.market.analysis.rivalry[role.name].part
    conduct = np.array([role.decode_action(a).get(act, 0.0) for a in range(role.actions)])
    mean = table @ conduct
    sizes = [len(p.values) for p in block.sees]
    digit = np.unravel_index(np.arange(block.size), sizes)[block.sees.index(part)]
    texts: list[str] = []
    distances: list[tuple[float, float]] = []  # how often, and how far below the value, as share
    for d, value in enumerate(part.values):
        weight = met * (digit == d)
        if weight.sum() > 0:
            own = float(weight @ mean / weight.sum())
            texts.append(f"{value_text(own)} at {value_text(value)}")
            below = (value - own) / value if value else 0.0
            distances.append((float(weight.sum()), below))
    yield f"By {part.name}, its {name} is {', '.join(texts)}."
    share = sum(w * below for w, below in distances) / sum(w for w, _ in distances)
    side = "below" if share >= 0 else "above"
    yield f"That is {abs(share):.0%} {side} its {part.name} on average."


def frequency_sentences(population: FrozenPopulation, seat: Seat, k: int) -> Iterator[str]:
    """What it does in block number k by what it meets, the most frequent first.

    Observations with the same answer share a sentence.
    """
    role, block = seat.role, seat.role.blocks[k]
    start, phase = role.block_start(k), population.market.phases[block.phase]
    met = visits(population)[seat.index][start : start + block.size]
    total = float(met.sum())
    if not total:
        given = ", ".join(f"{part.name} {value}" for part, value in block.given)
        yield f"It never comes to {phase}" + f" ({given})" * bool(given) + "."
        return
    table = population.tables[seat.index][start : start + block.size]
    groups: dict[bytes, list[int]] = {}  # observations by their answer
    for o in np.argsort(-met, kind="stable"):
        if met[o] > 0:
            groups.setdefault(np.round(table[o], DIGITS).tobytes(), []).append(int(o))
    ranked = sorted(groups.values(), key=lambda same: -float(met[same].sum()))
    for same in ranked[:ANSWERS]:
        action = action_text(role, table[same[0]], bare=True)
        if len(ranked) == 1:
            yield f"In {phase}, whatever it meets: {action}."
            return
        share = float(met[same].sum()) / total
        met_when = f"{_either(role, start, same)} ({share:.0%} of the times it comes to this)"
        yield f"In {phase}, {met_when}: {action}."
    left = sum(float(met[same].sum()) for same in ranked[ANSWERS:]) / total
    if left > RARE:
        yield f"In {phase}, it meets something else {left:.0%} of the times it comes to this."


def _either(role: Role, start: int, same: Sequence[int]) -> str:
    """`after a; b; or 3 others`: observations of the block that begins at `start`."""
    named = "; ".join(observation_text(role, start + o) for o in same[:NAMED])
    rest = len(same) - NAMED
    return f"after {named}" + (f"; or {rest} other{'s' * (rest > 1)}" if rest > 0 else "")
