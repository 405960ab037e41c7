"""Markets in which seats are shown something else than the present state.

    other = shown_market(market, {"provider_0": ("last_price_1",)})             # a constant
    other = shown_market(market, {"provider_0": ("last_price_1",)}, rounds=2)   # 2 rounds older

Observations, actions and measures are those of the market, so policy tables keep their shape, and
all that plays or probes a market does so here as well. What differs is the kernel `observe`; with
older data also the state, which then holds what seats would have seen in the last rounds.
"""

from .shown_market import View, carried_over, shown_market, view_of

__all__ = ["View", "carried_over", "shown_market", "view_of"]
