"""Recorded rounds as a table of deals: one row for a round of a copy, a column for every figure.

| column | what |
|---|---|
| `arm`, `seed`, `branch`, `copy`, `round`, `episode` | which deal; rounds are counted from 0 |
| `harm`, `harmed` | the largest harm, and whose measure (`tacit.oversight.harm`); if it is known |
| `SEAT_saw_PART`, `SEAT_did_PART` | what the seat saw, and what it did |
| `SEAT_p`, `SEAT_p_PHASE` | how probable that was (by phase if it decides in several) |
| `SEAT_MEASURE`, `market_MEASURE` | measures of the round |
| `SEAT_kpi_MEASURE`, `SEAT_reward` | unweighted terms of its KPI, and its reward |

A deal's name is `s<seed>/b<branch>/c<copy>/r<round>`. A repetition that was never rolled back has
branch 0 alone. Deals of evaluation (`evaluation_deals.py`) are `s<seed>/e/c<copy>/r<round>`, with
branch -1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.agents.tabular.recording import NOTHING, Recording
from tacit.envs.errors import ConfigError
from tacit.envs.market import Part, Seat
from tacit.envs.market.roles import WAITING
from tacit.oversight.harm import DealHarm
from tacit.training.config.arms import Arm

EVALUATION = -1  # in the place of a branch
NO_HARM = 1e-12  # what rounding leaves
DEAL = re.compile(r"s([0-9]{1,9})/(?:b([0-9]{1,9})|e)/c([0-9]{1,9})/r([0-9]{1,15})")


class DealName(NamedTuple):
    """Which deal of an arm.

    Attributes:
        seed: the repetition, 0 .. n-1.
        branch: 0, or one that began where a breaker rolled the repetition back; EVALUATION: rounds
            of evaluation.
        copy: which of the copies of the market.
        round: counted from 0.
    """

    seed: int
    branch: int
    copy: int
    round: int

    def __str__(self) -> str:
        branch = "e" if self.branch == EVALUATION else f"b{self.branch}"
        return f"s{self.seed}/{branch}/c{self.copy}/r{self.round}"


class DealColumn(NamedTuple):
    """One column of a table of deals.

    Attributes:
        values: numbers, or indices into `words`, one for each deal: `[deals]` of any type.
        words: what the indices mean; None: the values are the numbers themselves. An index of -1
            means that there is nothing to tell.
    """

    values: NDArray[Any]
    words: tuple[str, ...] | None = None

    def at(self, row: int) -> Any:
        """The value in a row: a number, a word, or None."""
        value = self.values[row]
        if self.words is not None:
            return self.words[value] if value >= 0 else None
        return None if value != value else value.item()


Deals = dict[str, DealColumn]


def deal_name(text: str) -> DealName:
    """A deal by its name.

    Raises:
        ConfigError: it is no such name.
    """
    match = DEAL.fullmatch(text)
    if match is None:
        raise ConfigError(f"DEAL: must be like s0/b0/c0/r1200, got {text!r}.")
    return DealName(*(EVALUATION if n is None else int(n) for n in match.groups()))


def deal_columns(
    arm: Arm, k: int, recording: Recording, harm: DealHarm | None, branch: int = 0
) -> Deals:
    """The deals of a recording, round by round and in each round copy by copy.

    Args:
        arm: whose.
        k: the repetition.
        recording: R rounds of N copies.
        harm: of the same rounds.
        branch: that played them, or EVALUATION.
    """
    rounds, copies = recording.states.shape[:2]
    size, market = rounds * copies, arm.market
    whole = np.full(size, k, np.int32)
    deals: Deals = {
        "arm": DealColumn(np.zeros(size, np.int32), (arm.name,)),
        "seed": DealColumn(whole),
        "branch": DealColumn(np.full(size, branch, np.int32)),
        "copy": DealColumn(np.tile(np.arange(copies, dtype=np.int32), rounds)),
        "round": DealColumn(np.repeat(recording.clock[:, 0], copies)),
        "episode": DealColumn(np.repeat(recording.clock[:, 1], copies)),
    }
    if harm is not None:
        deals["harm"] = DealColumn(harm.size.reshape(-1))
        # Where nobody lost anything, nobody is named.
        victim = np.where(harm.size > NO_HARM, harm.victim, -1)
        deals["harmed"] = DealColumn(victim.reshape(-1).astype(np.int32), harm.names)
    for seat in market.seats:
        deals |= _decisions(arm, seat, recording)
    for seat in market.seats:
        for measure in market.measured(seat.role.name):
            values = recording.measures[:, :, seat.index, market.columns[measure.name]]
            deals[f"{seat.name}_{measure.name}"] = DealColumn(values.reshape(-1))
    for measure in market.measured("market"):
        values = recording.measures[:, :, -1, market.columns[measure.name]]
        deals[f"market_{measure.name}"] = DealColumn(values.reshape(-1))
    terms = [(s.name, name) for s in market.seats for name in arm.kpi[s.name]]
    for n, (seat_name, name) in enumerate(terms):
        deals[f"{seat_name}_kpi_{name}"] = DealColumn(recording.scores[:, :, n].reshape(-1))
    for seat in market.seats:
        reward = recording.scores[:, :, len(terms) + seat.index]
        deals[f"{seat.name}_reward"] = DealColumn(reward.reshape(-1))
    return deals


def _decisions(arm: Arm, seat: Seat, recording: Recording) -> Deals:
    """What a seat saw and did, by part, and with which probability."""
    found: Deals = {}
    phases = [p for p in range(len(arm.market.phases)) if arm.market.acts(seat, p)]
    for phase in phases:
        blocks = [block for block in seat.role.blocks if block.phase == phase]
        seen = [p for b in blocks for p in (*(part for part, _ in b.given), *b.sees)]
        done = [p for b in blocks for p in b.does if p.name not in WAITING]
        for prefix, parts, indices, decode in (
            ("saw", seen, recording.observations, seat.role.decode_observation),
            ("did", done, recording.actions, seat.role.decode_action),
        ):
            met, rows = np.unique(indices[:, :, phase, seat.index], return_inverse=True)
            known = [decode(int(i)) if i != NOTHING else {} for i in met]
            for name, values in _by_name(parts).items():
                key = f"{seat.name}_{prefix}_{name}"
                # A part that is shown in several phases is told as the last of them shows it.
                found[key] = _part_column(known, name, values, rows.reshape(-1), found.get(key))
        name = f"_{arm.market.phases[phase]}" if len(phases) > 1 else ""
        chances = recording.probabilities[:, :, phase, seat.index].reshape(-1)
        found[f"{seat.name}_p{name}"] = DealColumn(chances)
    return found


def _by_name(parts: Iterable[Part]) -> dict[str, tuple[Any, ...]]:
    """All values of each part, by its name; blocks may show one part with different values."""
    values: dict[str, tuple[Any, ...]] = {}
    for part in parts:
        values[part.name] = tuple(dict.fromkeys([*values.get(part.name, ()), *part.values]))
    return values


def _part_column(
    known: Sequence[Mapping[str, Any]],
    name: str,
    values: Sequence[Any],
    rows: NDArray[np.intp],
    earlier: DealColumn | None,
) -> DealColumn:
    """One part as numbers if all its values are numbers, else as words.

    Args:
        known: the parts of every index that was met.
        name: of the part.
        values: that it may have.
        rows: which of `known` each deal has, int64 `[deals]`.
        earlier: of an earlier phase, told where this one shows nothing.
    """
    met = [parts.get(name) for parts in known]
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        numbers = np.array([np.nan if v is None else float(v) for v in met])[rows]
        if earlier is not None:
            numbers = np.where(np.isnan(numbers), earlier.values, numbers)
        return DealColumn(numbers)
    words = tuple(str(v) for v in values)
    if earlier is not None and earlier.words is not None:
        words = tuple(dict.fromkeys([*earlier.words, *words]))  # so that its indices stay
    digits = np.array([-1 if v is None else words.index(str(v)) for v in met], np.int32)[rows]
    if earlier is not None:
        digits = np.where(digits < 0, earlier.values, digits)
    return DealColumn(digits, words)


# --- rows ----------------------------------------------------------------------------------------


def size(deals: Deals) -> int:
    """How many deals a table holds."""
    return len(deals["round"].values)


def joined(tables: list[Deals]) -> Deals:
    """Tables of the same columns end to end; a column that one of them lacks is left out."""
    if len(tables) == 1:
        return tables[0]
    first, *others = tables
    whole: Deals = {}
    for name in first:
        if all(name in table for table in others):
            whole[name] = _joined([table[name] for table in tables])
    return whole


def _joined(columns: list[DealColumn]) -> DealColumn:
    if columns[0].words is None:
        return DealColumn(np.concatenate([c.values for c in columns]))
    words = tuple(dict.fromkeys(word for c in columns for word in c.words or ()))
    parts = [
        np.array([*(words.index(w) for w in c.words or ()), -1], np.int32)[c.values]
        for c in columns
    ]
    return DealColumn(np.concatenate(parts), words)


def chosen(deals: Deals, rows: Any) -> Deals:
    """Some rows of a table, by their numbers or a mask."""
    return {name: DealColumn(c.values[rows], c.words) for name, c in deals.items()}


def worst(deals: Deals, count: int) -> Deals:
    """The deals of the largest harm, the worst first; equal ones in their order.

    Raises:
        ConfigError: harm is not known in this market.
    """
    if "harm" not in deals:
        raise ConfigError("--worst: this market knows no honest play, so harm is not told.")
    order = np.argsort(-deals["harm"].values, kind="stable")[:count]
    return chosen(deals, order)


def row_names(deals: Deals) -> Iterator[DealName]:
    """The names of all deals in a table."""
    keys = [deals[name].values for name in ("seed", "branch", "copy", "round")]
    for k, branch, copy, round_ in zip(*keys, strict=True):
        yield DealName(int(k), int(branch), int(copy), int(round_))


def in_words(arm: Arm, deals: Deals, row: int) -> list[str]:
    """A deal in the market's own words (`Market.transcript`)."""
    market = arm.market
    actions = np.zeros((len(market.phases), len(market.seats)), np.int64)
    measures = np.zeros((len(market.seats) + 1, len(market.measures)))
    for seat in market.seats:
        for phase in range(len(market.phases)):
            actions[phase, seat.index] = _action(deals, row, seat, phase)
        for measure in market.measured(seat.role.name):
            value = deals[f"{seat.name}_{measure.name}"].values[row]
            measures[seat.index, market.columns[measure.name]] = value
    for measure in market.measured("market"):
        value = deals[f"market_{measure.name}"].values[row]
        measures[-1, market.columns[measure.name]] = value
    return market.transcript(actions, measures)


def _action(deals: Deals, row: int, seat: Seat, phase: int) -> int:
    """The action of a seat in a phase, put together again from its parts."""
    blocks = [block.does for block in seat.role.blocks if block.phase == phase]
    for parts in blocks:
        values = {p.name: _value(deals, row, seat, p) for p in parts}
        if None not in values.values():
            return seat.role.encode_action(**values)
    waits = any(p.name in WAITING for parts in blocks for p in parts)
    return seat.role.encode_action(**WAITING) if waits else 0


def _value(deals: Deals, row: int, seat: Seat, part: Part) -> Any:
    """The value of an action part in a row, as the part has it; None if it was not decided."""
    column = deals.get(f"{seat.name}_did_{part.name}")
    told = None if column is None else column.at(row)
    if isinstance(told, str):
        return next((v for v in part.values if str(v) == told), None)
    return told
