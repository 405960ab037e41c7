"""tacit: watch bluffing and collusion emerge from the KPIs you write.

    import tacit

    summary = tacit.train("ad_auction", ["kpi.bidder.price_change=-1"], name="charged")
    arm = tacit.load_run("results/charged").arms["base"]
    arm.measures["clearing_price"]                      # mean, interval, n, by repetition
    policies = arm.repetitions[0].policies              # by seat; each one acts
    policies["bidder_0"].act(observation)               # whatever a view hands out
    tacit.evaluate(policies, "ad_auction")              # measures with intervals

What most users need stands here; everything else is in `tacit.envs`, `tacit.agents`,
`tacit.emergence`, `tacit.oversight` and `tacit.training`. Names load on demand, so that
`import tacit` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tacit.agents.registry import register_agent
    from tacit.emergence.evaluate import evaluate
    from tacit.emergence.population import freeze
    from tacit.emergence.registry import register_probe
    from tacit.emergence.verdict import verdicts
    from tacit.envs.plugins import register_market
    from tacit.envs.registry import make_market
    from tacit.training.outcome.trained_run import load_run
    from tacit.training.runs.runner import train
    from tacit.training.storage.load_run import load_policy

__all__ = [
    "evaluate", "freeze", "load_policy", "load_run", "make_market", "register_agent",
    "register_market", "register_probe", "train", "verdicts",
]  # fmt: skip

_HOME = {
    "evaluate": "tacit.emergence.evaluate",
    "freeze": "tacit.emergence.population",
    "load_policy": "tacit.training.storage.load_run",
    "load_run": "tacit.training.outcome.trained_run",
    "make_market": "tacit.envs.registry",
    "register_agent": "tacit.agents.registry",
    "register_probe": "tacit.emergence.registry",
    "register_market": "tacit.envs.plugins",
    "train": "tacit.training.runs.runner",
    "verdicts": "tacit.emergence.verdict",
}


def __getattr__(name: str) -> Any:
    """A name of `__all__`, imported when it is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"module 'tacit' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
