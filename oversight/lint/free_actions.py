"""Parts of an action that are free: whatever the others do, their choice never costs the own KPI.

In every sampled round (`trials.py`) in which a seat saw o and chose value u of a part, v is played
instead, everybody else's acts and all draws held. The change u -> v at o is free if the seat's KPI
payoff falls in none of them. It is reported if somebody's fundamental, the seat's own included,
falls on average by what counts as a loss (`tacit.emergence.payoffs.gain_unit`), and everybody
together loses (in the market's welfare, else in the sum of fundamentals): a price that moves money
from one to the other is no finding, nor is a loss of rivals that their own KPIs count, which is
competition. Of all free changes of a part, the one with the largest loss that no learner's KPI
counts is reported; if all are counted, the largest of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np

from tacit.envs.market import Block, Seat
from tacit.envs.types import Bools, Floats, Ints
from tacit.oversight.lint.stable.pricing import Pricing

from .report import FreeAction, Loser
from .trials import Played, Trials

MOST_SEEN = 32  # observations that are told apart; of more they are pooled
FEWEST = 20  # sampled rounds in which a value was chosen, else the change is not judged
ROUNDING = 1e-9  # of the largest payoff


@dataclass(frozen=True, eq=False)
class _Payoffs:
    """Of N rounds and S seats: KPI payoffs and fundamentals float64 `[N, S]`, measures."""

    kpi: Floats
    fundamentals: Floats
    measures: Floats
    total: Floats  # what everybody has together, float64 [N]

    def __sub__(self, other: _Payoffs) -> _Payoffs:
        return _Payoffs(
            self.kpi - other.kpi,
            self.fundamentals - other.fundamentals,
            self.measures - other.measures,
            self.total - other.total,
        )


def free_actions(trials: Trials, pricing: Pricing, learned: Sequence[bool]) -> list[FreeAction]:
    """The free parts of every group's first seat that somebody loses by, one entry a part."""
    base = trials.play(1)
    before = _payoffs(pricing, base)
    found = []
    for group in pricing.groups:
        seat = pricing.market.seats[group.seats[0]]
        if learned[seat.index]:
            for block, k in _parts(seat):
                best = _worst_change(trials, pricing, learned, base, before, seat, block, k)
                if best is not None:
                    found.append(best)
    return found


def _parts(seat: Seat) -> Iterator[tuple[Block, int]]:
    """Every action part with a choice, once for each block of actions of a phase."""
    known = set()
    for block in seat.role.blocks:
        for k, part in enumerate(block.does):
            if len(part.values) > 1 and (block.phase, block.does) not in known:
                yield block, k
        known.add((block.phase, block.does))


def _worst_change(
    trials: Trials,
    pricing: Pricing,
    learned: Sequence[bool],
    base: Played,
    before: _Payoffs,
    seat: Seat,
    block: Block,
    k: int,
) -> FreeAction | None:
    """The free change of one part by which most is lost; None: no change is free and harmful."""
    stride = int(np.prod([len(part.values) for part in block.does[k + 1 :]], dtype=np.int64))
    values = block.does[k].values
    first = seat.role.encode_action(**{part.name: part.values[0] for part in block.does})
    observed = base.observations[block.phase][:, seat.index]
    here = seat.role.legal[observed, 0] == first
    digit = (base.actions[block.phase][:, seat.index] - first) // stride % len(values)
    seen = np.unique(observed[here])
    told_apart = 1 < len(seen) <= MOST_SEEN
    worst: tuple[tuple[float, float], FreeAction] | None = None
    for v in range(len(values)):
        change = partial(_set_part, block.phase, seat.index, here, (v - digit) * stride)
        played = trials.play(1, change, held=base)
        difference = _payoffs(pricing, played) - before
        for u, o in product(range(len(values)), seen if told_apart else [None]):
            rows = here & (digit == u) & (True if o is None else observed == o)
            if u == v or rows.sum() < FEWEST:
                continue
            losers = _losers(pricing, learned, before, difference, rows, seat)
            if not losers:
                continue
            action = FreeAction(
                seat.name,
                block.does[k].name,
                _shown(values[u]),
                _shown(values[v]),
                "" if o is None else _seen_words(seat, int(o)),
                float(difference.kpi[rows, seat.index].mean()),
                int(rows.sum()),
                tuple(losers),
                _reported(pricing, difference, rows),
            )
            rank = (
                max((x.loss for x in losers if not x.counted), default=0.0),
                max(x.loss for x in losers),
            )
            if worst is None or rank > worst[0]:
                worst = rank, action
    return None if worst is None else worst[1]


def _seen_words(seat: Seat, observation: int) -> str:
    """An observation as `lead 3, stock plenty`."""
    seen = seat.role.decode_observation(observation)
    return ", ".join(f"{name} {_shown(value)}" for name, value in seen.items() if name != "phase")


def _set_part(
    where: int, seat: int, here: Bools, shift: Ints, phase: int, seen: Ints, actions: Ints
) -> Ints:
    """The actions int64 `[N, S]` with one seat's part set, in one phase and in some rounds."""
    if phase != where:
        return actions
    changed = actions.copy()
    changed[here, seat] += shift[here]
    return changed


def _payoffs(pricing: Pricing, played: Played) -> _Payoffs:
    market, measures = pricing.market, played.measures[0]
    columns = [market.columns[seat.role.fundamental] for seat in market.seats]
    fundamentals = measures[:, np.arange(len(columns)), columns]
    total = fundamentals.sum(axis=1)
    if market.welfare is not None:
        total = measures[:, -1, market.columns[market.welfare]]
    return _Payoffs(
        pricing.payoffs(played.scores[0], pricing.weights), fundamentals, measures, total
    )


def _losers(
    pricing: Pricing,
    learned: Sequence[bool],
    before: _Payoffs,
    difference: _Payoffs,
    rows: Bools,
    seat: Seat,
) -> list[Loser]:
    """Who loses by a free change; empty if it is not free."""
    size = max(1.0, float(np.abs(before.kpi).max()))
    if (difference.kpi[rows, seat.index] < -ROUNDING * size).any():
        return []
    if difference.total[rows].mean() >= -ROUNDING * size:
        return []
    found = []
    for other in pricing.market.seats:
        lost = -difference.fundamentals[rows, other.index]
        if lost.mean() <= max(ROUNDING * size, pricing.negligible[other.role.name]):
            continue
        # A loss is counted if the loser's own payoff falls where its fundamental does.
        felt = difference.kpi[rows, other.index][lost > 0] < -ROUNDING * size
        counted = bool(learned[other.index] and other is not seat and felt.any())
        earned = float(before.fundamentals[rows, other.index].mean())
        measure = next(m for m in pricing.market.measures if m.name == other.role.fundamental)
        loss = float(lost.mean())
        found.append(
            Loser(
                other.name, measure.name, measure.unit, loss,
                loss / earned if earned > 0 else None, counted,
            )
        )  # fmt: skip
    # A rival that loses what its own KPI counts is competition, not a finding.
    rivals = {s.name for s in pricing.market.seats if s.role is seat.role and s is not seat}
    if all(x.counted and x.owner in rivals for x in found):
        return []
    return sorted(found, key=lambda x: (x.counted, -x.loss))


def _reported(pricing: Pricing, difference: _Payoffs, rows: Bools) -> tuple[str, ...]:
    """Measures of which less is better, that a change raises and no KPI prices."""
    market = pricing.market
    priced = {t.measure for terms in pricing.kpi.values() for t in terms.values() if t.weight}
    found = []
    for measure in market.measures:
        if measure.sign < 0 and measure.name not in priced and measure.roles:
            column = difference.measures[rows][:, :, market.columns[measure.name]]
            if column.mean(axis=0).max() > ROUNDING:
                found.append(measure.name)
    return tuple(found)


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
