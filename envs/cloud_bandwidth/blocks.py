"""What the cloud market's seats see and do: the blocks of its roles."""

from __future__ import annotations

import numpy as np

from tacit.envs.market import Block, Part
from tacit.envs.types import Floats

from .config import CloudBandwidthConfig

NEEDS, LOADS, CLAIMS = ("standard", "critical"), ("calm", "surge"), ("ample", "tight")


def price_part(grid: Floats, name: str, meaning: str) -> Part:
    """A part whose values are prices, or steps where grids differ.

    Args:
        grid: prices of all whom the part stands for, money, float64 `[., m]`: one part serves all
            seats of a role. Where these grids differ the values are steps of them.
        name: the part's name.
        meaning: one line.
    """
    if not np.array_equal(grid.min(axis=0), grid.max(axis=0)):
        return Part(f"{name}_step", tuple(range(grid.shape[1])), f"{meaning} (own grid)")
    return Part(name, tuple(float(p) for p in grid[0]), meaning)


def provider_blocks(config: CloudBandwidthConfig, grid: Floats) -> tuple[Block, ...]:
    """The provider's blocks; the last one, with tenants or turns, is for waiting.

    `grid` float64 `[N, m]`, money.
    """
    c = config
    does: tuple[Part, ...] = (price_part(grid, "price", "the price it posts"),)
    forgets = (Part("memory", ("none",), "it remembers nothing"),)
    if c.timing == "alternating":
        rival = (price_part(grid[:1], "rival_price", "the rival's price, which stays"),)
        turn = Part("turn", ("own", "rival"), "whose turn it is to post a price")
        own = Block(0, rival if c.memory else forgets, does, given=((turn, "own"),))
        return own, Block(0, given=((turn, "rival"),))
    # Whose prices a seat remembers: everybody's, or in its own region those of provider 0, 1, ...
    seen = [(f"provider_{i}'s price", grid[i : i + 1]) for i in range(c.posts)]
    if c.regions > 1 and c.observe == "region":
        seen = [
            (f"price of the own region's provider {i}", grid[i :: c.providers])
            for i in range(c.providers)
        ]
    sees = tuple(
        price_part(own, f"{when}_price_{i}", f"{what}, {ago}")
        for when, ago in (("earlier", "two rounds ago"), ("last", "last round"))[2 - c.memory :]
        for i, (what, own) in enumerate(seen)
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
        price_part(grid[i : i + 1], f"price_{i}", f"provider_{i}'s price")
        for i in range(c.providers)
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
