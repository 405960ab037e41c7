"""Procurement through PettingZoo: the library's own tests, and the same play as the engine's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from pettingzoo.test import api_test, parallel_api_test
from play import random_actions
from tenders import FULL, SIMPLE
from test_views import ONE_SHAPE, TWO_ROLES, assert_agree

from tacit.envs import procurement_v0
from tacit.envs.engine import Engine

EACH = pytest.mark.parametrize("market", [{}, SIMPLE, FULL], ids=["default", "simple", "full"])


@EACH
def test_pettingzoo_s_own_tests(market):
    parallel_api_test(procurement_v0.parallel_env(market=market), num_cycles=60)
    with warnings.catch_warnings():
        for message in ONE_SHAPE + TWO_ROLES:
            warnings.filterwarnings("ignore", message)
        api_test(procurement_v0.env(market=market), num_cycles=60)


@EACH
def test_both_views_and_the_engine_play_the_same(market, luck):
    together = procurement_v0.parallel_env(market=market, episode_rounds=20)
    by_turns = procurement_v0.raw_env(market=market, episode_rounds=20)
    engine = Engine(together.market, seeds=[8])
    engine.reset()
    for env in (together, by_turns):
        env.reset(seed=8)
    while together.agents:
        actions = random_actions(engine, luck)
        acting = [s for s in engine.market.seats if engine.market.acts(s, engine.phase)]
        for seat in acting:
            assert by_turns.agent_selection == seat.name
            by_turns.step(int(actions[0, seat.index]))
        names = [s.name for s in engine.market.seats]
        infos = together.step(dict(zip(names, map(int, actions[0]), strict=True)))[-1]
        engine.step(actions)
        if engine.phase == 0:
            np.testing.assert_array_equal(by_turns.state(), engine.rows.state[0])
            assert_agree(engine, together, infos)


def test_a_round_reads_like_a_negotiation():
    env = procurement_v0.parallel_env(market=FULL, render_mode="ansi")
    env.reset(seed=0)
    market = env.market

    def step(**parts):
        seats = {s.name: s for s in market.seats}
        first = {n: int(np.flatnonzero(i["action_mask"])[0]) for n, i in infos.items()}
        chosen = {n: seats[n].role.encode_action(**p) for n, p in parts.items()}
        return env.step(first | chosen)[-1]

    _, infos = env.reset(seed=0)
    infos = step(buyer_0={"stated_urgency": "calm"})
    offer = {"price": 0.7, "claim": "plenty", "promise": 2, "clause": "kept"}
    infos = step(supplier_0=offer, supplier_1=offer | {"clause": "dropped"})
    infos = step(buyer_0={"response": "counter supplier_1 at 0.3"})
    step()
    text = env.render()
    assert "buyer_0 says it is calm" in text
    assert "supplier_0 asks 0.7, claims plenty stock" in text
    assert "promises 2 days, without the clause" in text
    assert "buyer_0 counters supplier_1 at 0.3" in text
    assert "margins: supplier_0 " in text
