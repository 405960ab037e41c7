"""How `params` and `state` of quantity competition are laid out, and the slots of its draws."""

from __future__ import annotations

# Positions in `params`, float64 [.].
FIRMS = 0  # N
OUTPUTS = 1  # m
DEMAND = 2  # mean of d, money per unit
SHOCK = 3  # how far d lies from its mean, money per unit; 0: never
COST = 4  # of a unit, money
SEES = 5  # NOTHING, LAST_PRICE or LAST_OUTPUTS
PRICE_INDEX = 6  # position in `params` of the index of every price: see `price_number`
GRID = 7  # from here the outputs, units [m]

NOTHING, LAST_PRICE, LAST_OUTPUTS = range(3)  # values of SEES
MONITORING = ("none", "imperfect", "perfect")  # the key's values in that order

# Positions in `state`, float64 [1].
SEEN = 0  # the index of what all firms see
STATE_WIDTH = 1

# Slots of draws.
DEMAND_DRAW = 0  # whether d is high
FIRST_OUTPUTS = 1  # that would have shown what is seen before the first round
