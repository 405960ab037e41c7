"""What a key of an agent is where nobody sets it, and the values at the edges of what it may be.

A file of a user names few keys: with another default its runs are no longer the same.
"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tacit.agents.registry import AGENTS

BATCH = {"learning_rate_end": None, "discount": 0.95, "rounds_per_update": 128}
NETWORK = {
    **BATCH, "learning_rate": 1e-3, "hidden": (64, 64), "activation": "tanh", "encoding": "digits",
    "max_gradient": 0.5, "adam_betas": (0.9, 0.999), "adam_epsilon": 1e-5, "engine": "compiled",
    "precision": "float32",
}  # fmt: skip
DEFAULTS = {
    "q_learning": {
        "learning_rate": 0.1, "discount": 0.95, "update": "asynchronous",
        "exploration": "exponential", "epsilon": 1.0, "epsilon_decay": 2e-5, "epsilon_min": 0.0,
        "temperature": 1.0, "temperature_decay": 0.0, "initial_q": "rival_uniform",
        "rewards_between": "summed", "tie_break": "first", "stop_after": None,
    },
    "multiplicative_weights": {"learning_rate": 0.1},
    "ippo": {
        **NETWORK, "gae_lambda": 0.95, "clip": 0.2, "entropy": 0.01, "entropy_end": None,
        "value_weight": 0.5, "epochs": 4, "minibatches": 4, "normalise_advantages": True,
        "average_from": None, "anchor": None,
    },
    "idqn": {
        **NETWORK, "epsilon": 1.0, "epsilon_decay": 2e-5, "epsilon_min": 0.01, "replay": 100_000,
        "batch": 256, "steps": 16, "sampling": "uniform", "target_every": 64,
    },
    "sb3": {
        **BATCH, "learning_rate": 3e-4, "algorithm": "PPO", "gae_lambda": 0.95, "steps": 16,
        "kwargs": {},
    },
    "scripted": {"rule": "competitive"},
    "table": {"file": "", "table_hash": ""},
    "prior": {"file": "", "smoothing": 0.0, "content": None},
    "external": {
        "command": None, "seconds": 10.0, "start_seconds": 30.0, "live": False, "fallback": "",
    },
    "chat": {
        "prompt": None, "key_variable": None, "answers": "auto", "temperature": 1.0,
        "max_tokens": 16, "top_logprobs": 20, "seconds": 60.0, "retries": 6, "pause": 0.5,
        "price_in": 0.0, "price_out": 0.0, "live": False, "fallback": "",
    },
}  # fmt: skip
# Keys without a default.
NEEDED = {
    "external": {"call": "my.bot:act"},
    "chat": {"base_url": "http://localhost:8080/v1", "model": "m"},
}

# Values that are taken, and values beside them that are not.
EDGES = [
    ("q_learning", "learning_rate", (1e-9, 1), (0, 1.001)),
    ("q_learning", "discount", (0, 0.999), (-0.001, 1)),
    ("q_learning", "epsilon", (0, 1), (-0.001, 1.001)),
    ("q_learning", "epsilon_decay", (0, 3), (-1e-9,)),
    ("q_learning", "epsilon_min", (0, 1), (-0.001, 1.001)),
    ("q_learning", "temperature", (1e-9,), (0,)),
    ("q_learning", "temperature_decay", (0,), (-1e-9,)),
    ("q_learning", "initial_q", ((1, 1), (-1, 0), 0), ((1, 0.9),)),
    ("q_learning", "stop_after", (1,), (0,)),
    ("multiplicative_weights", "learning_rate", (1e-9, 7), (0, float("inf"))),
    ("ippo", "learning_rate", (1e-9,), (0,)),
    ("ippo", "learning_rate_end", (0,), (-1e-9,)),
    ("ippo", "discount", (0, 0.999), (-0.001, 1)),
    ("ippo", "rounds_per_update", (1,), (0,)),
    ("ippo", "hidden", ((), (1,)), ((0,),)),
    ("ippo", "max_gradient", (0,), (-1e-9,)),
    ("ippo", "adam_betas", ((0, 0), (0.999, 0.999)), ((1, 0), (0, 1), (-0.1, 0))),
    ("ippo", "adam_epsilon", (1e-12,), (0,)),
    ("ippo", "gae_lambda", (0, 1), (-0.001, 1.001)),
    ("ippo", "clip", (1e-9,), (0,)),
    ("ippo", "entropy", (0,), (-1e-9,)),
    ("ippo", "entropy_end", (0,), (-1e-9,)),
    ("ippo", "value_weight", (1e-9,), (0,)),
    ("ippo", "epochs", (1,), (0,)),
    ("ippo", "minibatches", (1, 64), (0, 65)),
    ("ippo", "average_from", (0, 0.999), (-0.001, 1)),
    ("idqn", "epsilon_min", (0, 1), (-0.001, 1.001)),
    ("idqn", "replay", (256,), (255,)),  # a step's samples are taken from it
    ("idqn", "batch", (1, 100_000), (0, 100_001)),
    ("idqn", "steps", (1,), (0,)),
    ("idqn", "target_every", (1,), (0,)),
    ("sb3", "steps", (1,), (0,)),
]


@pytest.mark.parametrize("agent", AGENTS)
def test_every_key_has_its_default(agent):
    needed = NEEDED.get(agent, {})
    assert AGENTS[agent](**needed).model_dump() == {"name": agent, **needed, **DEFAULTS[agent]}


@pytest.mark.parametrize(("agent", "key", "taken", "refused"), EDGES)
def test_edges_of_a_key(agent, key, taken, refused):
    for value in taken:
        AGENTS[agent].model_validate({key: value})
    for value in refused:
        with pytest.raises((ValidationError, ValueError)):
            AGENTS[agent].model_validate({key: value})


def test_a_floor_of_epsilon_lies_at_most_at_epsilon():
    for agent in ("q_learning", "idqn"):
        AGENTS[agent].model_validate({"epsilon": 0.2, "epsilon_min": 0.2})
        with pytest.raises((ValidationError, ValueError), match=r"at most epsilon \(0\.2\)"):
            AGENTS[agent].model_validate({"epsilon": 0.2, "epsilon_min": 0.21})
