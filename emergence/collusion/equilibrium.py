"""Is the path an equilibrium of the frozen policies? In fundamentals, exact on the joint chain.

    gap_i = (1 - d) (V_i* - V_i) / (profit_M - profit_N)

averaged over the limit path (`tacit.emergence.play.best_response`). Two checks of different
strength on the path: that no *single* other action pays if everybody plays its table ever after
(one-shot), and that nothing at all pays (V_i = V_i*: true best responses). The weaker one is the
one often reported; tables can pass it and still be far from an equilibrium, since after a deviation
they go on playing badly.
"""

from __future__ import annotations

from tacit.emergence.payoffs import benchmark_range
from tacit.emergence.play.best_response import joint_chain, path_weights
from tacit.emergence.population import FrozenPopulation

ROUNDING = 1e-6  # of profit_M - profit_N: a gain below this is rounding

FIGURES = {
    "best_response_gap": "largest gain of a seat's best response per round, share of the range",
    "best_response_gap/": "the same by seat",
    "best_responses": "1 if on the path every seat plays a true best response",
    "one_shot_stable": "1 if on the path no single deviation pays",
}


def equilibrium(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`; NaN where the chain is too large."""
    names = [seat.name for seat in population.market.seats]
    chain = joint_chain(population)
    if chain is None:
        keys = ["best_response_gap", *(f"best_response_gap/{n}" for n in names)]
        return dict.fromkeys([*keys, "best_responses", "one_shot_stable"], float("nan"))
    weight = path_weights(population, chain)
    on_path = weight > 0
    low, high = benchmark_range(population.market)
    gaps, one_shot_gain = {}, 0.0
    for i, name in enumerate(names):
        value = chain.value(i, "fundamental")
        missed = float(weight @ (chain.best_value(i, "fundamental") - value))
        gaps[name] = (1.0 - population.discount) * missed / (high - low)
        gain = chain.advantage(i, "fundamental", value)[on_path]
        one_shot_gain = max(one_shot_gain, float(gain.max()))
    largest = max(gaps.values())
    return {
        "best_response_gap": largest,
        **{f"best_response_gap/{name}": gap for name, gap in gaps.items()},
        "best_responses": float(largest <= ROUNDING),
        "one_shot_stable": float(one_shot_gain <= ROUNDING * (high - low)),
    }
