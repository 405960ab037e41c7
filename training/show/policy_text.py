"""A policy in sentences: where it rests, how it answers rivals, what it claims, what it does.

Sentences come from the frozen tables of all seats, not from training: the path on which they settle
(`tacit.emergence.play.limit_path`), replays in which a rival leaves it for one round
(`tacit.emergence.play.deviation_replays`), and how often each observation is met
(`tacit.emergence.play.visits`). Numbers that depend on draws are estimates, and the sentence says
"about".
"""

from __future__ import annotations

from tacit.emergence.claims.channels import Channel, channels
from tacit.emergence.play.applicability import why_no_deviations
from tacit.emergence.population import FrozenPopulation
from tacit.envs.market import Seat

from .claim_text import claim_sentences
from .conduct_text import answer_sentences, resting_sentences
from .decision_text import frequency_sentences, private_number, value_sentences


def policy_sentences(population: FrozenPopulation, seat: Seat) -> list[str]:
    """Sentences about one seat; at least one."""
    role = seat.role
    lines: list[str] = []
    every_block_told = False
    if role.name in population.market.analysis.rivalry:
        lines += resting_sentences(population, seat)
        if role.seats > 1:
            reason = why_no_deviations(population.market, population.kpi)
            if reason is None:
                # Then a round has one phase, and what a seat does there is what it answers.
                lines += answer_sentences(population, seat)
                every_block_told = True
            else:
                why = reason.partition(";")[0]
                lines.append(f"(What it answers a rival's move is not told: {why}.)")
    for k in range(len(role.blocks)):
        has_choice = role.legal[role.block_start(k), 1] > 1
        if has_choice and not every_block_told:
            lines += _block_sentences(population, seat, k)
    return lines or ["It has nothing to decide here."]


def _block_sentences(population: FrozenPopulation, seat: Seat, k: int) -> list[str]:
    """What it does in its block number k: by what it claims, else by what it privately knows, else
    by what it meets."""
    own = _channels_of(population, seat, k)
    if own:
        return [line for channel in own for line in claim_sentences(population, channel)]
    private = private_number(population, seat, seat.role.blocks[k])
    if private is not None:
        return list(value_sentences(population, seat, k, private))
    return list(frequency_sentences(population, seat, k))


def _channels_of(population: FrozenPopulation, seat: Seat, k: int) -> list[Channel]:
    """Claims that the seat makes in its block number k about what it privately knows."""
    start = seat.role.block_start(k)
    return [c for c in channels(population.market) if c.seat is seat and c.first == start]
