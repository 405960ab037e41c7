"""The cycle that is the competitive benchmark where two providers move in turn.

In one round of Bertrand competition price falls to cost. With alternating moves it need not:
whoever would have to match a price of cost earns nothing and may as well raise the price again. The
benchmark is the Edgeworth cycle of Maskin, Tirole, "A theory of dynamic oligopoly, II",
Econometrica 56(3), 1988, in the form in which Klein, RAND Journal of Economics 52(3), 2021,
compares learners with it: each mover undercuts its rival by one step of the grid, from the
joint-profit price down to cost, and whoever meets a price of cost goes back to one step above the
joint-profit price.

It is a path to compare with, not an equilibrium at every discount: in Maskin and Tirole's the mover
at the bottom randomises between waiting there and going back up.
"""

from __future__ import annotations

import numpy as np

from tacit.envs.types import Floats

from .benchmarks import PricingOutcome


def joint_step(profit: Floats) -> int:
    """The step of the joint-profit price; `profit` float64 `[m]` of a lone seller, by its price."""
    return int(np.argmax(profit))


def cycle_answer(rival: int, top: int) -> int:
    """The step that the cycle's mover posts.

    Args:
        rival: the step of the rival's standing price.
        top: the step of the joint-profit price.
    """
    return top + 1 if rival == 0 else min(rival - 1, top)


def edgeworth_cycle(grid: Floats, profit: Floats) -> PricingOutcome:
    """Mean prices and profits of the cycle.

    A round earns what the lower price earns, and one provider has it: top, .., 1, 0, and 0 again
    while the other one has gone back up. The means are of both providers together: where a cycle
    has an even number of rounds, who earns more of it depends on who moved first.

    Args:
        grid: prices from cost up, the same for both, money, float64 `[m]`.
        profit: of a lone seller by its price, money, float64 `[m]`; at most 0 at the lowest.

    Returns:
        The mean posted price and the mean profit of a round, over rounds and both providers, given
        for each of them.
    """
    top = joint_step(profit)
    rounds = top + 2
    price = np.full(2, grid[:rounds].mean())
    earned = np.full(2, profit[: top + 1].sum() / rounds / 2.0)
    return PricingOutcome(price[:, None], price, earned)
