"""Where claims are made: which part of which action, and what the same seat knows to be true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tacit.emergence.play.applicability import why_no_analysis
from tacit.envs import kpi as kpis
from tacit.envs.market import (
    Claim,
    Market,
    Part,
    Seat,
)
from tacit.envs.types import Ints


@dataclass(frozen=True)
class Channel:
    """One seat's claim, in the block of its policy table where it makes it.

    The block is `first .. first + size - 1` of the table's rows (observations) and
    `act .. act + acts - 1` of its columns (actions).

    Attributes:
        claim: what the market declares about it.
        seat: who makes it.
        phase: when it is made.
        sees: the observation parts of the block.
        first: the block's first observation.
        size: how many observations the block has.
        act: the block's first action.
        acts: how many actions the block has.
        truth: the value of what the claim is about, by observation, int64 `[size]`.
        said: the value of the claim, by action, int64 `[acts]`.
        rest: all other parts of the action as one number, int64 `[acts]`.
    """

    claim: Claim
    seat: Seat
    phase: int
    sees: tuple[Part, ...]
    first: int
    size: int
    act: int
    acts: int
    truth: Ints
    said: Ints
    rest: Ints


def channels(market: Market) -> list[Channel]:
    """Every claim of every seat that makes it where it observes what the claim is about."""
    found = []
    for claim in market.claims:
        for seat in (s for s in market.seats if s.role.name == claim.role):
            for k, block in enumerate(seat.role.blocks):
                seen = [part.name for part in block.sees]
                done = [part.name for part in block.does]
                if claim.about in seen and claim.part in done:
                    found.append(_channel(claim, seat, k))
    return found


def _channel(claim: Claim, seat: Seat, k: int) -> Channel:
    """The channel in block k of a seat's role."""
    block, first = seat.role.blocks[k], seat.role.block_start(k)
    act, acts = (int(x) for x in seat.role.legal[first])
    seen = np.unravel_index(np.arange(block.size), [len(p.values) for p in block.sees])
    does = np.unravel_index(np.arange(acts), [len(p.values) for p in block.does])
    about = [p.name for p in block.sees].index(claim.about)
    part = [p.name for p in block.does].index(claim.part)
    rest = np.zeros(acts, np.int64)
    for digit, other in zip(does, block.does, strict=True):
        rest = rest if other.name == claim.part else rest * len(other.values) + digit
    return Channel(
        claim, seat, block.phase, block.sees, first, block.size, act, acts,
        truth=seen[about].astype(np.int64), said=does[part].astype(np.int64), rest=rest,
    )  # fmt: skip


def why_no_claims(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why claims are not measured here; None: they are."""
    if channels(market):
        return why_no_analysis(market, "part_probabilities, draws")
    return (
        f"nobody claims anything in {market.name} here; markets that declare claims have these "
        "figures"
    )
