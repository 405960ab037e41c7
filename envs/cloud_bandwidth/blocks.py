"""What the cloud market's seats see and do: the blocks of its roles."""

from __future__ import annotations

import numpy as np

from tacit.envs.market import Block, Part
from tacit.envs.types import Floats

from .config import CloudBandwidthConfig

NEEDS, LOADS, CLAIMS = ("standard", "critical"), ("calm", "surge"), ("ample", "tight")


def price_part(grid: Floats, name: str, provider: int | None, meaning: str) -> Part:
    """A part whose values are prices.

    Args:
        grid: prices, money, float64 `[N, m]`.
        name: the part's name.
        provider: whose grid; None: each seat's own. Where these differ the values are steps of
            the own grid, because one part serves all seats of the role.
        meaning: one line.
    """
    own = grid[0 if provider is None else provider]
    if provider is None and not np.array_equal(grid.min(axis=0), grid.max(axis=0)):
        return Part(f"{name}_step", tuple(range(len(own))), f"{meaning} (own grid)")
    return Part(name, tuple(float(p) for p in own), meaning)


def provider_blocks(config: CloudBandwidthConfig, grid: Floats) -> tuple[Block, ...]:
    """The provider's blocks; the last one, with tenants or turns, is for waiting.

    `grid` float64 `[N, m]`, money.
    """
    c = config
    does: tuple[Part, ...] = (price_part(grid, "price", None, "the price it posts"),)
    forgets = (Part("memory", ("none",), "it remembers nothing"),)
    if c.timing == "alternating":
        rival = (price_part(grid, "rival_price", 0, "the rival's price, which stays"),)
        turn = Part("turn", ("own", "rival"), "whose turn it is to post a price")
        own = Block(0, rival if c.memory else forgets, does, given=((turn, "own"),))
        return own, Block(0, given=((turn, "rival"),))
    sees = tuple(
        price_part(grid, f"{when}_price_{i}", i, f"provider_{i}'s price, {ago}")
        for when, ago in (("earlier", "two rounds ago"), ("last", "last round"))[2 - c.memory :]
        for i in range(c.providers)
    )
    if c.surge or c.headroom_claims:
        # Without surges the load is always calm: a claim is still about something.
        loads = LOADS if c.surge else LOADS[:1]
        sees += (Part("load", loads, "its own background demand this round"),)
    sees = sees or forgets
    if c.headroom_claims:
        does += (Part("claim", CLAIMS, "what it says of its load: ample is calm, tight surge"),)
    return (Block(0, sees, does), Block(1)) if c.tenants else (Block(0, sees, does),)


def tenant_blocks(config: CloudBandwidthConfig, grid: Floats) -> tuple[Block, ...]:
    """The tenant's blocks: waiting, then its request; `grid` float64 `[N, m]`, money."""
    c = config
    sees: tuple[Part, ...] = (Part("need", NEEDS, "what a unit is worth to it"),)
    sees += tuple(
        price_part(grid, f"price_{i}", i, f"provider_{i}'s price") for i in range(c.providers)
    )
    if c.headroom_claims:
        sees += tuple(
            Part(f"claim_{i}", CLAIMS, f"provider_{i}'s claim") for i in range(c.providers)
        )
    names = ("none", *(f"provider_{i}" for i in range(c.providers)))
    does = (
        Part("provider", names, "whom it asks for a unit"),
        Part("priority", NEEDS, "what it says of its need: critical asks for priority"),
    )
    return Block(0), Block(1, sees, does)
