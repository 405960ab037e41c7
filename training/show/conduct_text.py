"""Sentences about rivals: where a seat's conduct rests, and what it answers a rival's move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tacit.emergence.play.deviation_replays import DeviationReplays
from tacit.emergence.play.deviations import deviations
from tacit.emergence.play.limit_path import limit_path
from tacit.emergence.play.one_step_payoffs import plays_deterministically
from tacit.emergence.play.replays import observations_in
from tacit.emergence.population import FrozenPopulation
from tacit.envs.market import Role, Seat
from tacit.envs.types import Floats

from .policy_table_text import value_text

RIVALS = 3  # whose moves are answered in words
LONG = 6  # rounds; longer cycles are summarised
LAST = 4  # rounds shown of a path that does not come back
SAME = 1e-6  # amounts that differ by less are the same


def conduct_of(population: FrozenPopulation, seat: Seat) -> str:
    """The measure by which the seat competes, such as `price`."""
    return population.market.analysis.rivalry[seat.role.name].measure


def _rivals(population: FrozenPopulation, seat: Seat) -> list[Seat]:
    return [s for s in population.market.seats if s.role is seat.role and s is not seat]


# --- where it rests -------------------------------------------------------------------------------


def resting_sentences(population: FrozenPopulation, seat: Seat) -> list[str]:
    """Where the seat's conduct settles: in one place, in a cycle, or in neither."""
    path, name = limit_path(population), conduct_of(population, seat)
    column = population.market.columns[name]
    own = path.measures[:, seat.index, column]
    if not path.period:
        return [_without_cycle(name, own)]
    others = [(s.name, path.measures[:, s.index, column]) for s in _rivals(population, seat)]
    if path.period == 1:
        return [f"{_resting_place(float(own[0]), name, others)} it stays."]
    rounds = f"In the end it goes round in {path.period} rounds"
    if path.period > LONG:
        range_text = f"{name} {value_text(float(own.min()))} to {value_text(float(own.max()))}"
        return [f"{rounds}: {range_text}, {value_text(float(own.mean()))} on average."]
    beside = "; ".join(f"{rival} {_amounts(theirs)}" for rival, theirs in others)
    return [f"{rounds}: {name} {_amounts(own)}" + f" ({beside})" * bool(beside) + "."]


def _without_cycle(name: str, own: Floats) -> str:
    """A sentence about conduct `[T]` that does not repeat."""
    low, high = np.quantile(own, [0.1, 0.9])
    text = f"It comes to no cycle. Its {name} is about {value_text(float(own.mean()))}"
    if high > low:
        text += f", mostly between {value_text(float(low))} and {value_text(float(high))}"
    return f"{text}."


def _resting_place(own: float, name: str, others: Sequence[tuple[str, Floats]]) -> str:
    """`After both at 1.81`, `After its price 1.85 (provider_1 1.89)`, `At price 1.5`."""
    amounts = [own, *(float(theirs[0]) for _, theirs in others)]
    if len(amounts) == 1:
        return f"At {name} {value_text(own)}"
    if max(amounts) - min(amounts) < SAME:
        return f"After {'both' if len(amounts) == 2 else 'all'} at {value_text(own)}"
    beside = ", ".join(f"{rival} {value_text(float(theirs[0]))}" for rival, theirs in others)
    return f"After its {name} {value_text(own)} ({beside})"


def _amounts(amounts: Floats) -> str:
    return ", ".join(value_text(float(amount)) for amount in amounts)


# --- what it answers ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Reply:
    """A rival leaves the path for one round, and what follows; R rounds from that one on.

    Attributes:
        rival: the seat that leaves it.
        conduct: the measure by which they compete.
        theirs: the rival's conduct without and with its move, in its round.
        path: the seat's own conduct without the move, float64 `[R]`.
        after: the same with it, float64 `[R]`.
        returned: the first round, 1 being the move's, after which all are on their path; or NaN.
        about: `about ` where the numbers are estimates, else empty.
    """

    rival: Seat
    conduct: str
    theirs: tuple[float, float]
    path: Floats
    after: Floats
    returned: float
    about: str

    def sentence(self) -> str:
        """What the seat does about it."""
        before, moved_to = self.theirs
        move = "cuts" if moved_to < before else "raises"
        head = (
            f"After {self.rival.name} {move} its {self.conduct} from {value_text(before)} to "
            f"{value_text(moved_to)} for one round, it"
        )
        reacted = np.flatnonzero(np.abs(self.after[1:] - self.path[1:]) > SAME) + 1
        if not len(reacted):
            return f"{head} does not react."
        first = int(reacted[0])
        own, planned = float(self.after[first]), float(self.path[first])
        when = "" if first == 1 else f" {first} rounds later"
        verb = "cuts" if own < planned else "raises its own"
        text = f"{head}{when} {verb} to {self.about}{value_text(own)}"
        text += f" (instead of {value_text(planned)})"
        if np.isfinite(self.returned):
            rounds = int(self.returned) - 1
            return f"{text} and comes back in {rounds} round{'s' * (rounds != 1)}."
        end = self.after[-LAST:]
        if np.ptp(end) < SAME:
            where = f"{self.about}{value_text(float(end[0]))}"
            return f"{text} and does not come back: it ends at {where}."
        return f"{text} and does not come back: it goes on {_amounts(end)}, ..."


def answer_sentences(population: FrozenPopulation, seat: Seat) -> Iterator[str]:
    """What the seat answers a move of each rival; of many rivals, the first few."""
    rivals = _rivals(population, seat)
    for rival in rivals[:RIVALS]:
        for reply in _replies(population, seat, rival):
            yield reply.sentence()
    if len(rivals) > RIVALS:
        yield f"(What it answers others than these {RIVALS} is not told.)"


def _replies(population: FrozenPopulation, seat: Seat, rival: Seat) -> Iterator[_Reply]:
    """The rival moves down, and then up, for one round, from the first state of the path.

    It moves by as many steps as lead to its static best reply; by one if that is no move.
    """
    market, path = population.market.analysis.expected(), limit_path(population)
    found = deviations(population)
    line = int(np.flatnonzero(found.seat == rival.index)[0])  # the first state's
    steps = max(1, abs(int(found.steps[line])))
    state = path.states[:1]
    seen = observations_in(population.market, population.kpi, state)[0]
    on_path = int(population.tables[rival.index][seen[rival.index]].argmax())
    name = population.market.analysis.rivalry[rival.role.name].part
    moves = [_moved(rival.role, name, on_path, shift) for shift in (-steps, steps)]
    moves = [action for action in moves if action != on_path]  # at an end of the grid there is none
    frozen = replace(population, market=market, rows=None)
    exact = plays_deterministically(population) and not market.play_draws
    start, movers = np.zeros(len(moves), np.int64), np.full(len(moves), rival.index)
    replays = DeviationReplays(frozen, state, start, movers, exact)
    outcome = replays.run(np.array(moves, np.int64), path.states)
    for k in range(len(moves)):
        without, with_move = outcome.path[k], outcome.conduct[k]  # [R, S]
        yield _Reply(
            rival=rival,
            conduct=conduct_of(population, seat),
            theirs=(float(without[0, rival.index]), float(with_move[0, rival.index])),
            path=without[:, seat.index],
            after=with_move[:, seat.index],
            returned=float(outcome.returned[k]),
            about="" if exact and path.period else "about ",
        )


def _moved(role: Role, name: str, action: int, steps: int) -> int:
    """The action whose part `name` lies so many steps up, or as far as it goes."""
    parts = role.decode_action(action)
    values = next(p for parts_of in role.choices for p in parts_of if p.name == name).values
    place = min(max(values.index(parts[name]) + steps, 0), len(values) - 1)
    return role.encode_action(**{**parts, name: values[place]})
