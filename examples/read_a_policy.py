"""A learned policy as a table, in words, and what each seat would gain by leaving it."""

from __future__ import annotations

import tempfile

import tacit
from tacit.emergence.play.best_response import best_responses
from tacit.training.show.policy_text import policy_sentences


def main() -> None:
    """Two providers that see last prices learn for a while; then they are read out."""
    settings = ["seeds=1", "train.rounds=300000", "agents.provider.epsilon_decay=2e-5"]
    with tempfile.TemporaryDirectory() as folder:
        tacit.train("cloud_bandwidth", settings, name="read", results=folder)
        run = tacit.load_run("read", results=folder)
        arm = run.arms["base"]
        tables = [tacit.load_policy(run, seat.name) for seat in arm.market.seats]
    population = tacit.freeze(arm.market, arm.kpi, tables, seed=0)
    print(f"policy table of provider_0: {tables[0].shape}")
    for sentence in policy_sentences(population, arm.market.seats[0]):
        print(f"  {sentence}")
    for found in best_responses(population, [0, 1]):
        print(f"{found.seat} would gain {found.gain:.4f} a round in {found.payoff} by leaving")


if __name__ == "__main__":
    main()
