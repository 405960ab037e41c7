"""After a session, in words: what everybody did and what was private to them, and the score."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tacit.agents.tabular.recording import NOTHING
from tacit.envs.market import Seat
from tacit.training.show.policy_table_text import part_name

from .rounds import PlayedRound
from .score import SAME_DRAWS, SMALLEST, Score
from .screen import block_of, shown_parts
from .session import PlaySession
from .truths import claims_made, private_parts
from .wording import amount_text, value_text

MOST_ROUNDS = 50  # that are told in a terminal, the last ones


def transcript_lines(session: PlaySession) -> Iterator[str]:
    """The finished rounds, with what was private to each seat and which claims were false."""
    first = max(0, len(session.played) - MOST_ROUNDS)
    if first:
        yield f"(Rounds 1 to {first} are in the file.)"
    for t in range(first, len(session.played)):
        played = session.played[t]
        yield f"Round {t + 1}"
        # A seat that does not decide in a phase has no action there; markets read none of them.
        actions = np.maximum(played.actions, 0)
        for line in session.arm.market.transcript(actions, played.measures):
            yield f"  {line}"
        for seat in session.arm.market.seats:
            if seat != session.seat:
                yield from _truth_lines(session, seat, played)


def _truth_lines(session: PlaySession, seat: Seat, played: PlayedRound) -> Iterator[str]:
    """What one of the others knew that nobody else did, and what it claimed falsely of that."""
    market = session.arm.market
    told: dict[str, str] = {}  # by private part
    for phase in range(len(market.phases)):
        o = int(played.observations[phase, seat.index])
        action = int(played.actions[phase, seat.index])
        if o == NOTHING or int(seat.role.legal[o, 1]) < 2:
            continue
        parts = {part.name: part for part in shown_parts(block_of(seat.role, o))}
        for name, value in private_parts(market, seat, o).items():
            told.setdefault(name, f"its {part_name(name)} was {value_text(parts[name], value)}")
        for claim in claims_made(market, seat, o, action):
            if claim.is_false:
                so = value_text(parts[claim.about], claim.so)
                told[claim.about] = (
                    f"its {part_name(claim.part)} was {_short(claim.said)}, but its "
                    f"{part_name(claim.about)} was {so}: false"
                )
    if told:
        yield f"    {seat.name}: {'; '.join(told.values())}"


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


# --- the score -----------------------------------------------------------------------------------


def score_lines(session: PlaySession, score: Score) -> Iterator[str]:
    """What the person earned, what the trained policy would have, and a best response."""
    if score.rounds == 0:
        yield "No round was finished, so there is no score."
        return
    name = part_name(session.seat.role.fundamental)
    rounds = "1 round" if score.rounds == 1 else f"{score.rounds} rounds"
    yield f"In {rounds} your KPI paid you {_each(score.earned, score.rounds)}."
    yield f"Your {name}: {_each(score.fundamental, score.rounds)}."
    if score.trained is not None and score.trained_fundamental is not None:
        yield (
            f"The policy that {session.seat.name} learned earns "
            f"{_each(score.trained, score.rounds)} {SAME_DRAWS}; its {name}: "
            f"{_each(score.trained_fundamental, score.rounds)}."
        )
    if (best := score.best) is None:
        yield f"A best response is withheld: {score.reason}."
        return
    text = f"A best response to the others earns {_each(best.total, score.rounds)} {best.basis}"
    if best.basis == SAME_DRAWS:
        text += f" ({amount_text(best.per_round)} a round in expectation)"
    yield f"{text}."
    if (share := score.share) is None:
        less = (best.total - score.earned) / score.rounds
        compared = f"{amount_text(abs(less))} a round {'less' if less > 0 else 'more'}"
        if abs(less) < SMALLEST:
            compared = "as much"
        yield f"A share of that says nothing, because {score.reason}; you earned {compared}."
        return
    trained = score.trained_share
    beside = "" if trained is None else f"; that of the learned policy is {trained:.3f}"
    yield f"Your score, the share of it that you earned, is {share:.3f}{beside}."


def _each(total: float, rounds: int) -> str:
    """`4.2, .6 a round`."""
    return f"{amount_text(total)}, {amount_text(total / rounds)} a round"
