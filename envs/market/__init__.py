"""The market contract: what a market declares, and the tables that follow from it.

A market is finite. In each phase a role sees one of a few *parts* combined (its block of
observations) and does one of a few parts combined (its block of actions). The blocks of all phases
are laid end to end, so that a seat's whole behaviour is one policy table `[O, A]`.

The rules are three compiled functions of one copy, in the module that `Market.kernels` names:

    reset(params, state, key)                               fills the state row
    observe(params, state, phase, seat) -> index            what the seat sees, in 0 .. O-1
    play(params, state, phase, actions, measures, key)      one phase: moves state, fills measures

Letters, here and in the rest of the product: P phases, S seats, O observations and A actions of a
role, W numbers of a state row, M measures.

| argument | type and shape | what |
|---|---|---|
| `params` | float64 `[.]` | the market's constants, made by `Market.declare` |
| `state` | float64 `[W]` | everything that moves; copying it copies the market |
| `actions` | int64 `[S]` | what each seat does; entries of seats that do not act are ignored |
| `measures` | float64 `[S + 1, M]` | of the round; row S is the market's own |
| `key` | uint64 | for draws (`tacit.envs.rng`) |

The engine zeroes `measures` at the start of a round.

`roles.py` holds parts, blocks, roles and seats; `declarations.py` measures, claims, lots and
benchmarks;
`market.py` the class that a market derives from.
"""

from .declarations import Benchmark, Claim, Lot, Measure
from .market import MAX_OBSERVATIONS, Market
from .roles import WAIT, WAITING, Block, Part, Role, Seat

__all__ = [
    "MAX_OBSERVATIONS",
    "WAIT",
    "WAITING",
    "Benchmark",
    "Block",
    "Claim",
    "Lot",
    "Market",
    "Measure",
    "Part",
    "Role",
    "Seat",
]
