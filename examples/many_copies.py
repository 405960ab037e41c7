"""The batched engine: 4,096 copies of a market, one compiled call a step."""

from __future__ import annotations

import time

import numpy as np

import tacit
from tacit.envs import Engine


def main() -> None:
    """Step copies with the same bids in all of them, and read measures by name."""
    market = tacit.make_market("ad_auction", {"bidders": 3})
    engine = Engine(market, seeds=[0], copies=4_096)
    engine.reset()
    bids = np.tile([7, 17, 11], (4_096, 1))  # int64 [copies, seats]
    engine.step(bids)  # the first call compiles, or loads what was compiled before
    began = time.perf_counter()
    for _ in range(200):
        engine.step(bids)
    rate = 200 * 4_096 / (time.perf_counter() - began)
    price = engine.measures[:, -1, market.columns["clearing_price"]]  # float64 [copies]
    print(f"clearing price {price.mean():.2f} in all copies: {np.ptp(price) == 0.0}")
    print(f"{rate / 1e6:.1f} million rounds a second here")


if __name__ == "__main__":
    main()
