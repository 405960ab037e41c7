"""Train an auction under two KPIs and print the paired difference of the seller's revenue."""

from __future__ import annotations

import tempfile

import tacit
from tacit.training.outcome.summary import difference


def main() -> None:
    """Eight repetitions of each arm; a paper would use 48 or more."""
    experiment = {
        "question": "What does a charge for volatile prices do to a second-price auction?",
        "market": "ad_auction",
        "agents": {"bidder": "q_learning"},
        "train": {"rounds": 100_000, "measure_last": 10_000},
        "seeds": 8,
        "arms": {"uncharged": {}, "charged": {"kpi.bidder.price_change": -1}},
    }
    with tempfile.TemporaryDirectory() as folder:
        arms = tacit.train(experiment, name="charge", results=folder)["arms"]
    gap = difference(arms["charged"], arms["uncharged"], "revenue")
    assert gap is not None
    print(f"revenue without a charge: {arms['uncharged']['measures']['revenue']['mean']:.3f}")
    print(f"difference with it: {gap.mean:.3f} [{gap.low:.3f}, {gap.high:.3f}], n = {gap.n}")


if __name__ == "__main__":
    main()
