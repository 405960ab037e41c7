"""Golden transcripts: plays of every market as text, compared line by line.

A rule change shows here first, readable in review. After an intended one:

    python tests/envs/markets/test_transcripts.py --write
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tacit.envs import rng
from tacit.envs.registry import SHIPPED, make_market
from tacit.envs.views.pettingzoo_env import MarketParallelEnv

GOLDEN = Path(__file__).parent / "golden"
SEED, ROUNDS = 1, 10

KPI = {
    "bidder": {"profit": 1.0, "price_change": -1.0},
    "bidder_1": {
        "profit": 1.0,
        "partner": {"measure": "profit", "weight": 0.5, "scope": "bidder_0"},
    },
}
PLAYS: dict[str, dict[str, Any]] = {
    "ad_auction": {
        "name": "ad_auction",
        "market": {"bids": 4, "observe": "bids", "price_mix": 0.5},
        "kpi": KPI,
    },
    "ad_auction_publisher": {
        "name": "ad_auction",
        "market": {"bids": 4, "bidders": 3, "publisher": True, "reserve": 0.3, "observe": "price"},
        "kpi": KPI | {"publisher": {"revenue": 1.0, "fill": 0.25}},
    },
    "ad_auction_slots": {
        "name": "ad_auction",
        "market": {
            "bids": 4,
            "bidders": 3,
            "chat": 2,
            "slots": 2,
            "click_rates": [1.0, 0.5],
            "value": {"kind": "uniform", "low": 0.25, "high": 1.0, "levels": 4},
            "reserve": 0.3,
        },
        "kpi": KPI,
    },
    "procurement": {"name": "procurement", "market": {}, "kpi": {}},
    "procurement_final": {
        "name": "procurement",
        "market": {"prices": [0.3, 0.5, 0.7], "final": True, "false_final_fine": 0.05},
        "kpi": {},
    },
    "procurement_brief": {
        "name": "procurement",
        "market": {
            "suppliers": 2, "prices": [0.3, 0.5, 0.7], "urgency": {}, "brief": True,
            "false_urgency_fine": 0.1, "lead_times": [0, 2, 3], "late_fine": 0.1,
            "delay_cost": 0.15, "lead_cost": 0.05, "clause": {}, "record": "on_time",
        },
        "kpi": {"supplier": {"margin": 1.0, "win": 0.1}, "buyer": {"savings": 1.0, "surplus": 0.1}},
    },
    "cloud_bandwidth": {
        "name": "cloud_bandwidth",
        "market": {"cost": [1.0, 0.75], "prices": 4, "memory": 2, "outside_shock": 0.2},
        "kpi": {"provider": {"profit": 1.0, "price_change": -0.1}},
    },
    "cloud_bandwidth_tenants": {
        "name": "cloud_bandwidth",
        "market": {
            "prices": 3, "capacity": 2, "tenants": 3, "priority_surcharge": 0.25,
            "surge": {"enter": 0.3, "leave": 0.3, "multiplier": 3.0}, "headroom_claims": True,
        },
        "kpi": {"tenant": {"surplus": 1.0, "uptime": 0.5}},
    },
    "cloud_bandwidth_turns": {
        "name": "cloud_bandwidth",
        "market": {
            "timing": "alternating", "demand": "linear", "reservation_price": 1.0, "cost": 0.0,
            "prices": 5, "price_range": [0.0, 1.0],
        },
        "kpi": {},
    },
    "cloud_bandwidth_regions": {
        "name": "cloud_bandwidth",
        "market": {
            "regions": 2, "prices": 3, "price_range": [1.5, 2.0], "cost": [1.0, 1.4, 1.4, 1.0],
            "region_sizes": [1.0, 0.5],
        },
        "kpi": {
            "provider_0": {
                "profit": 1.0,
                "elsewhere": {"measure": "profit", "weight": 1.0, "scope": "provider_2"},
            },
        },
    },
    "quantity_competition": {
        "name": "quantity_competition",
        "market": {"outputs": 5, "demand_shock": 10.0, "monitoring": "imperfect"},
        "kpi": {"firm": {"profit": 1.0, "quantity": 2.0}},
    },
    "cheap_talk": {
        "name": "cheap_talk",
        "market": {"states": 3, "actions": 5},
        "kpi": {"sender": {"payoff": 1.0, "false_claim": -0.1}},
    },
    "hiring": {
        "name": "hiring",
        "market": {},
        "kpi": {"employer": {"profit": 1.0, "hire_cost": -1.0}},
    },
    "delivery_slots": {
        "name": "delivery_slots",
        "market": {"carriers": 2, "shippers": 3, "false_claim_fine": 0.25},
        "kpi": {"carrier": {"urgent_served": 1.0, "revenue": 0.25}},
    },
}  # fmt: skip


def in_words(parts: Mapping[str, Any]) -> str:
    shown = (f"{v:.12g}" if isinstance(v, float) else str(v) for v in parts.values())
    return ", ".join(f"{name} {value}" for name, value in zip(parts, shown, strict=True))


def transcript(name: str, market: Mapping[str, Any], kpi: Mapping[str, Any]) -> Iterator[str]:
    """Random play, a line for everything that is seen, done, measured and paid."""
    env = MarketParallelEnv(make_market(name, market), kpi, ROUNDS)
    engine = env.session.engine
    yield f"market: {name} {market}"
    yield f"kpi: {kpi}"
    observations, infos = env.reset(seed=SEED)
    while env.agents:
        yield f"round {engine.round}, phase {env.market.phases[engine.phase]}"
        acting = [seat.name for seat in env.session.acting[engine.phase]]
        actions = dict(zip(acting, random_actions(env, acting, infos), strict=True))
        for seat in env.agents:
            sees = in_words(env.decode_observation(seat, observations[seat]))
            does = in_words(env.decode_action(seat, actions[seat])) if seat in actions else "waits"
            yield f"  {seat} sees {sees}: {does}"
        observations, rewards, _, _, infos = env.step(actions)
        if engine.phase == 0:
            for seat, reward in rewards.items():
                yield f"  {seat} measures {in_words(infos[seat]['measures'])}"
                yield f"  {seat} is paid {reward:.12g} for {in_words(infos[seat]['kpi'])}"


def random_actions(env: MarketParallelEnv, acting: list[str], infos: Mapping[str, Any]) -> Iterator:
    """Uniform legal actions by tacit's own draws, which no library's version can change."""
    engine = env.session.engine
    key = np.uint64(rng.moment(engine.actor[0], engine.episode, engine.round, engine.phase))
    for name in acting:
        legal = np.flatnonzero(infos[name]["action_mask"])
        yield int(legal[rng.below(key, env.possible_agents.index(name), len(legal))])


@pytest.mark.parametrize("name", PLAYS)
def test_a_play_reads_as_it_did(name):
    golden = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert list(transcript(**PLAYS[name])) == golden


def test_every_market_has_a_play_and_every_transcript_belongs_to_one():
    assert {play["name"] for play in PLAYS.values()} == set(SHIPPED)
    assert {path.stem for path in GOLDEN.iterdir()} == set(PLAYS)


def main() -> None:
    if sys.argv[1:] != ["--write"]:
        raise SystemExit(__doc__)
    GOLDEN.mkdir(exist_ok=True)
    for name, play in PLAYS.items():
        text = "\n".join(transcript(**play)) + "\n"
        (GOLDEN / f"{name}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
