"""A session as one flat table: a row for every decision of every seat, in the order of play.

| column | what |
|---|---|
| `session`, `run`, `market`, `arm`, `seed` | which session, of which agents |
| `learning` | whether the others went on learning |
| `round`, `phase` | when; rounds are counted from 1 |
| `finished` | whether the round was played to its end; if not, it has no measures |
| `seat`, `role`, `is_person` | who decided |
| `seen` | what was on the screen: what the seat observed, as text |
| `action`, `did_PART` | what it did, as text and by part |
| `learned_action` | of the person: what its seat's learned policy does there, with the same draws |
| `learned_probability` | with which the seat's policy does that (of the person: its learned one) |
| `truth_PART`, `false_claims` | what was private to the seat, and which of its claims were false |
| `reward`, `measure_NAME`, `market_NAME` | of the round, for this seat and for the market |
| `seconds` | from when the person was shown what it sees to its answer |

A decision has at least two legal actions. A cell that does not apply is empty.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tacit.agents.tabular.recording import NOTHING
from tacit.envs.errors import ConfigError
from tacit.envs.market import WAIT, Market, Part, Seat
from tacit.training.record.deals import DealColumn
from tacit.training.record.table_file import write_parquet
from tacit.training.storage.atomic_files import write_atomically

from .rounds import PlayedRound
from .screen import seen_parts, shown_parts
from .session import PlaySession
from .truths import claims_made, is_private, private_parts
from .wording import action_text

Row = dict[str, Any]
SECONDS = 3  # digits behind the point
TEXT, NUMBER, WHOLE, TRUTH = "text", "number", "whole number", "truth value"  # kinds of columns
ENCODING = ("utf-8", "backslashreplace")


def rows_of(session: PlaySession) -> list[Row]:
    """The rows of a session, each with all columns; None where a cell is empty."""
    columns = columns_of(session)
    return [{name: row.get(name) for name in columns} for row in _rows(session)]


def columns_of(session: PlaySession) -> dict[str, str]:
    """The columns by name, each with its kind: the same for all sessions of one configuration."""
    market = session.arm.market
    done = [p for r in market.roles for parts in r.choices if parts != WAIT for p in parts]
    truths = [p for seat in market.seats for p in _private(market, seat)]
    # A measure that seats and market have stands in both groups of columns.
    own = [m.name for m in market.measures if set(m.roles) - {"market"}]
    whole = [m.name for m in market.measured("market")]
    return {
        **dict.fromkeys(("session", "run", "market", "arm"), TEXT),
        "seed": WHOLE, "learning": TRUTH, "round": WHOLE, "phase": TEXT, "finished": TRUTH,
        "seat": TEXT, "role": TEXT, "is_person": TRUTH, "seen": TEXT, "action": TEXT,
        **_kinds("did", done), "learned_action": TEXT, "learned_probability": NUMBER,
        **_kinds("truth", truths), "false_claims": TEXT, "reward": NUMBER,
        **{f"measure_{name}": NUMBER for name in own},
        **{f"market_{name}": NUMBER for name in whole}, "seconds": NUMBER,
    }  # fmt: skip


def _private(market: Market, seat: Seat) -> Iterator[Part]:
    """The private parts that a seat may see in any phase."""
    for block in seat.role.blocks:
        yield from (part for part in shown_parts(block) if is_private(market, seat, part))


def _kinds(prefix: str, parts: Iterable[Part]) -> dict[str, str]:
    """A column for each part: numbers where all its values are, in all blocks and roles."""
    values: dict[str, list[Any]] = {}
    for part in parts:
        values.setdefault(part.name, []).extend(part.values)
    return {
        f"{prefix}_{name}": NUMBER if all(isinstance(v, int | float) for v in own) else TEXT
        for name, own in values.items()
    }


def _rows(session: PlaySession) -> Iterator[Row]:
    phases = len(session.arm.market.phases)
    for t, played in enumerate(session.played):
        for phase in range(phases):
            yield from _decisions(session, t, played, phase, is_finished=True)
    if (left := session.unfinished) is not None:
        played, over = left
        for phase in range(over):
            yield from _decisions(session, len(session.played), played, phase, is_finished=False)


def _decisions(
    session: PlaySession, t: int, played: PlayedRound, phase: int, is_finished: bool
) -> Iterator[Row]:
    """A row for every seat that had a choice in a phase."""
    market = session.arm.market
    for seat in market.seats:
        o = int(played.observations[phase, seat.index])
        action = int(played.actions[phase, seat.index])
        if o == NOTHING or int(seat.role.legal[o, 1]) < 2:
            continue
        own = session.decided(t).get(phase) if seat == session.seat else None
        claims = claims_made(market, seat, o, action)
        yield {
            "session": session.name, "run": session.run, "market": market.name,
            "arm": session.arm.name, "seed": session.k, "learning": session.learning,
            "round": t + 1, "phase": market.phases[phase], "finished": is_finished,
            "seat": seat.name, "role": seat.role.name, "is_person": seat == session.seat,
            "seen": ", ".join(f"{p.name} {p.value}" for p in seen_parts(seat.role, o)),
            "action": action_text(seat.role, action),
            **{f"did_{k}": v for k, v in seat.role.decode_action(action).items()},
            "learned_action": None if own is None else action_text(seat.role, own.learned),
            "learned_probability": float(played.probabilities[phase, seat.index]),
            **{f"truth_{k}": v for k, v in private_parts(market, seat, o).items()},
            "false_claims": " ".join(claim.part for claim in claims if claim.is_false) or None,
            **(_measures(session, seat, played) if is_finished else {}),
            "seconds": None if own is None else round(own.seconds, SECONDS),
        }  # fmt: skip


def _measures(session: PlaySession, seat: Seat, played: PlayedRound) -> Row:
    """The round's figures for a seat and for the market."""
    market = session.arm.market
    reward = len(played.scores) - len(market.seats) + seat.index
    found = {"reward": float(played.scores[reward])}
    for measure in market.measured(seat.role.name):
        value = played.measures[seat.index, market.columns[measure.name]]
        found[f"measure_{measure.name}"] = float(value)
    for measure in market.measured("market"):
        found[f"market_{measure.name}"] = float(played.measures[-1, market.columns[measure.name]])
    return found


# --- files ---------------------------------------------------------------------------------------


def write_table(path: Path, session: PlaySession) -> int:
    """Write a session as the file's ending says, whole or not at all; returns the number of rows.

    Raises:
        ConfigError: an unknown ending, or the system refuses.
    """
    rows, columns = rows_of(session), columns_of(session)
    if path.suffix == ".parquet":
        whole = {n: _column(kind, [row[n] for row in rows]) for n, kind in columns.items()}
        write_parquet(path, whole)
    elif path.suffix == ".csv":
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, columns)
        writer.writeheader()
        writer.writerows(rows)
        write_atomically(path, text.getvalue().encode(*ENCODING))
    else:
        raise ConfigError(f"-o: must end in .parquet or .csv, got {path}.")
    return len(rows)


def _column(kind: str, values: list[Any]) -> DealColumn:
    """Values of one kind; None: an empty cell."""
    if kind == TRUTH:
        return DealColumn(np.array(values, bool))
    if kind == WHOLE:
        return DealColumn(np.array(values, np.int64))
    if kind == NUMBER:
        return DealColumn(np.array([np.nan if v is None else v for v in values], np.float64))
    # A folder's name may hold bytes that are no text.
    words = [None if v is None else str(v).encode(*ENCODING).decode() for v in values]
    known = tuple(dict.fromkeys(word for word in words if word is not None))
    places = {word: k for k, word in enumerate(known)}
    return DealColumn(np.array([-1 if w is None else places[w] for w in words], np.int32), known)
