"""A policy as a person would tell it: where it rests, what it answers, what it says and takes.

Sentences come from the frozen tables of all seats, not from training: the path on which they settle
(`tacit.emergence.play.limit_path`), replays in which a rival leaves it for one round
(`tacit.emergence.play.deviations`), and how often each observation is met
(`tacit.emergence.play.visits`).
What depends on luck is a sample, and the sentence says "about".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tacit.emergence.claims import signalling
from tacit.emergence.play.applicability import unfit
from tacit.emergence.play.deviations import Plays, deviations
from tacit.emergence.play.limit_path import limit
from tacit.emergence.play.one_step_payoffs import deterministic
from tacit.emergence.play.visits import visits
from tacit.emergence.population import FrozenPopulation
from tacit.envs.market import (
    Block,
    Part,
    Role,
    Seat,
)

from .describe import does, seen_as, value

RIVALS = 3  # whose moves are told
LONG = 6  # rounds of a cycle that are told one by one
MOST = 6  # answers told of a phase, the most frequent first
NAMED = 3  # observations named that lead to one of them
SAME = 1e-6  # amounts that differ by less are the same

Array = NDArray[np.float64]


def portrait(population: FrozenPopulation, seat: Seat) -> list[str]:
    """Sentences about one seat; at least one."""
    role = seat.role
    lines: list[str] = []
    told: set[int] = set()  # blocks that need no more words
    if role.name in population.market.analysis.conduct:
        lines += _rest(population, seat)
        if role.seats > 1:
            reason = unfit(population.market, population.kpi)
            if reason is None:
                lines += _answers(population, seat)
                told |= set(range(len(role.blocks)))
            else:
                why = reason.partition(";")[0]
                lines.append(f"(What it answers a rival's move is not told: {why}.)")
    for k, block in enumerate(role.blocks):
        if role.legal[role.block_start(k), 1] == 1 or k in told:
            continue
        channels = [c for c in signalling.channels(population.market)
                    if c.seat is seat and c.first == role.block_start(k)]  # fmt: skip
        for channel in channels:
            lines += _claims(population, channel)
        if not channels:
            private = _private(population, seat, block)
            lines += _by_value(population, seat, k, private) if private else []
            lines += [] if private else _most_met(population, seat, k)
    return lines or ["It has nothing to decide here."]


# --- where it rests, and what it answers ---------------------------------------------------------


def _conduct(population: FrozenPopulation, seat: Seat) -> str:
    return population.market.analysis.conduct[seat.role.name]


def _rivals(population: FrozenPopulation, seat: Seat) -> list[Seat]:
    return [s for s in population.market.seats if s.role is seat.role and s is not seat]


def _rest(population: FrozenPopulation, seat: Seat) -> list[str]:
    """The path on which all settle, in the seat's own conduct and its rivals'."""
    path, name = limit(population), _conduct(population, seat)
    column = population.market.columns[name]
    own = path.measures[:, seat.index, column]
    others = [(s.name, path.measures[:, s.index, column]) for s in _rivals(population, seat)]
    if path.period == 1:
        return [f"{_after(float(own[0]), name, others)} it stays."]
    if not path.period:
        low, high = np.quantile(own, [0.1, 0.9])
        mean = value(float(own.mean()))
        told = f"It comes to no cycle. Its {name} is about {mean}"
        if high > low:
            told += f", mostly between {value(float(low))} and {value(float(high))}"
        return [f"{told}."]
    rounds = f"In the end it goes round in {path.period} rounds"
    if path.period > LONG:
        told = f"{name} {value(float(own.min()))} to {value(float(own.max()))}"
        return [f"{rounds}: {told}, {value(float(own.mean()))} on average."]
    beside = "; ".join(f"{s} {_list(x)}" for s, x in others)
    return [f"{rounds}: {name} {_list(own)}" + f" ({beside})" * bool(beside) + "."]


def _after(own: float, name: str, others: Sequence[tuple[str, Array]]) -> str:
    """`After both at 1.81`"""
    amounts = [own, *(float(x[0]) for _, x in others)]
    if len(amounts) == 1:
        return f"At {name} {value(own)}"
    if max(amounts) - min(amounts) < SAME:
        return f"After {'both' if len(amounts) == 2 else 'all'} at {value(own)}"
    beside = ", ".join(f"{s} {value(float(x[0]))}" for s, x in others)
    return f"After its {name} {value(own)} ({beside})"


def _list(x: Array) -> str:
    return ", ".join(value(float(v)) for v in x)


def _answers(population: FrozenPopulation, seat: Seat) -> Iterator[str]:
    """What it answers each rival; of many, the first few."""
    rivals = _rivals(population, seat)
    for rival in rivals[:RIVALS]:
        yield from _answers_to(population, seat, rival)
    if len(rivals) > RIVALS:
        yield f"(What it answers others than these {RIVALS} is not told.)"


def _answers_to(population: FrozenPopulation, seat: Seat, rival: Seat) -> Iterator[str]:
    """What it does after a rival's one round down, and up, from the first state of the path.

    The rival moves by as many steps as lead to its static best reply; by one if that is no move.
    """
    market, path = population.market.analysis.expected(), limit(population)
    line = next(k for k, s in enumerate(deviations(population).seat) if s == rival.index)
    steps = max(1, abs(int(deviations(population).steps[line])))
    state = path.states[:1]
    own = int(population.tables[rival.index][_seen(population, state)[rival.index]].argmax())
    moved = [_shifted(rival.role, _conduct(population, rival), own, k) for k in (-steps, steps)]
    told = [action for action in moved if action != own]
    frozen = replace(population, market=market, rows=None)
    exact = deterministic(population) and not market.play_draws
    plays = Plays(frozen, state, np.zeros(len(told), np.int64),
                  np.full(len(told), rival.index), exact)  # fmt: skip
    found = plays.run(np.array(told, np.int64), path.states)
    about = "" if exact and path.period else "about "
    for k in range(len(told)):
        yield _answer(population, seat, rival, found.path[k], found.conduct[k],
                      float(found.returned[k]), about)  # fmt: skip


def _seen(population: FrozenPopulation, state: Array) -> NDArray[np.int64]:
    from tacit.emergence.play.replays import seen

    found: NDArray[np.int64] = seen(population.market, population.kpi, state)[0]
    return found


def _shifted(role: Role, name: str, action: int, steps: int) -> int:
    """The action whose part `name` lies so many steps up, as far as it goes."""
    parts = role.decode_action(action)
    values = next(p for c in role.choices for p in c if p.name == name).values
    place = min(max(values.index(parts[name]) + steps, 0), len(values) - 1)
    return role.encode_action(**{**parts, name: values[place]})


def _answer(population: FrozenPopulation, seat: Seat, rival: Seat, path: Array, after: Array,
            returned: float, about: str) -> str:  # fmt: skip
    """One sentence; `path`, `after`: conduct `[R, S]` without and with the rival's move."""
    name = _conduct(population, seat)
    theirs, was = after[0, rival.index], path[0, rival.index]
    verb = "cuts" if theirs < was else "raises"
    head = (
        f"After {rival.name} {verb} its {name} from {value(float(was))} to {value(float(theirs))}"
    )
    own, home = after[1:, seat.index], path[1:, seat.index]
    moved = np.abs(own - home) > SAME
    if not moved.any():
        return f"{head} for one round, it does not react."
    first = int(np.flatnonzero(moved)[0])
    verb = "cuts" if own[first] < home[first] else "raises its own"
    when = "" if first == 0 else f" {first + 1} rounds later"
    told = f"{head} for one round, it{when} {verb} to {about}{value(float(own[first]))}"
    told += f" (instead of {value(float(home[first]))})"
    if np.isfinite(returned):
        rounds = int(returned) - 1
        return f"{told} and comes back in {rounds} round{'s' * (rounds != 1)}."
    end = own[-4:]
    if np.ptp(end) < SAME:
        return f"{told} and does not come back: it ends at {about}{value(float(end[0]))}."
    return f"{told} and does not come back: it goes on {_list(end)}, ..."


# --- what it says, by what is so ------------------------------------------------------------------


def _claims(population: FrozenPopulation, channel: signalling.Channel) -> Iterator[str]:
    """What it does for every truth, truths with one answer together; then how much that tells."""
    p = signalling.joint(population, channel)
    role, claim = channel.seat.role, channel.claim
    truths = next(part for part in channel.sees if part.name == claim.about).values
    groups: dict[bytes, list[int]] = {}
    for t in np.flatnonzero(p.sum(axis=1) > 0):
        groups.setdefault(np.round(p[t] / p[t].sum(), 6).tobytes(), []).append(int(t))
    for same in groups.values():
        chances = np.zeros(role.actions)
        chances[channel.act : channel.act + channel.acts] = p[same[0]] / p[same[0]].sum()
        what = _or([value(truths[t]) for t in same])
        yield f"When its {claim.about} is {what}: {does(role, chances)}."
    said = signalling.merged(p, channel.said)
    false = 1.0 - sum(said[t, t] for t in range(min(said.shape)))
    exact = signalling.law(population, channel)[1]
    counted = "" if exact else " (counted)"
    name = claim.part.replace("_", " ")
    line = f"Taken by its word, its {name} is false {false:.0%} of the time{counted}"
    truth = signalling.entropy(p.sum(axis=1))
    if truth > SAME:
        line += f"; it tells {signalling.information(said) / truth:.0%} of what it knows"
    yield line + "."


def _or(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


# --- what it bids, by what it is worth; what it meets most often ----------------------------------


def _private(population: FrozenPopulation, seat: Seat, block: Block) -> Part | None:
    """A number that only this seat knows, drawn anew each round, beside an act of conduct."""
    name = population.market.analysis.conduct.get(seat.role.name)
    if name not in [part.name for part in block.does]:
        return None
    for part in block.sees:
        known = population.market.analysis.chances(seat, part.name) is not None
        if known and len(part.values) > 1 and isinstance(part.values[0], float):
            return part
    return None


def _by_value(population: FrozenPopulation, seat: Seat, k: int, part: Part) -> Iterator[str]:
    """Mean conduct for every private value, weighted by how often each observation is met."""
    role, block, name = seat.role, seat.role.blocks[k], _conduct(population, seat)
    rows = slice(role.block_start(k), role.block_start(k) + block.size)
    met, table = visits(population)[seat.index][rows], population.tables[seat.index][rows]
    amounts = np.array([role.decode_action(a).get(name, 0.0) for a in range(role.actions)])
    mean = table @ amounts
    sizes = [len(p.values) for p in block.sees]
    digit = np.unravel_index(np.arange(block.size), sizes)[block.sees.index(part)]
    told, shading = [], []
    for d, v in enumerate(part.values):
        weight = met * (digit == d)
        if weight.sum() > 0:
            own = float(weight @ mean / weight.sum())
            told.append(f"{value(own)} at {value(v)}")
            shading.append((float(weight.sum()), (v - own) / v if v else 0.0))
    yield f"By {part.name}, its {name} is {', '.join(told)}."
    share = sum(w * s for w, s in shading) / sum(w for w, _ in shading)
    side = "below" if share >= 0 else "above"
    yield f"That is {abs(share):.0%} {side} its {part.name} on average."


def _most_met(population: FrozenPopulation, seat: Seat, k: int) -> Iterator[str]:
    """What it does in a phase, observations with one answer together, the most frequent first."""
    role, block = seat.role, seat.role.blocks[k]
    start, phase = role.block_start(k), population.market.phases[block.phase]
    met = visits(population)[seat.index][start : start + block.size]
    total = float(met.sum())
    if not total:
        given = ", ".join(f"{part.name} {v}" for part, v in block.given)
        yield f"It never comes to {phase}" + f" ({given})" * bool(given) + "."
        return
    table = population.tables[seat.index][start : start + block.size]
    groups: dict[bytes, list[int]] = {}
    for o in np.argsort(-met, kind="stable"):
        if met[o] > 0:
            groups.setdefault(np.round(table[o], 6).tobytes(), []).append(int(o))
    ranked = sorted(groups.values(), key=lambda same: -float(met[same].sum()))
    for same in ranked[:MOST]:
        act = does(role, table[same[0]], bare=True)
        if len(ranked) == 1:
            yield f"In {phase}, whatever it meets: {act}."
            return
        share = float(met[same].sum()) / total
        yield f"In {phase}, {_either(role, start, same)} ({share:.0%} of the time): {act}."
    left = sum(float(met[same].sum()) for same in ranked[MOST:]) / total
    if left > 0.005:
        yield f"In {phase}, {left:.0%} of the time, it meets something else."


def _either(role: Role, start: int, same: Sequence[int]) -> str:
    """`after a; b; or 3 others`"""
    named = "; ".join(seen_as(role, start + o) for o in same[:NAMED])
    rest = len(same) - NAMED
    return f"after {named}" + (f"; or {rest} other{'s' * (rest > 1)}" if rest > 0 else "")
