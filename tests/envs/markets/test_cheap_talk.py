"""Cheap talk: rules by hand, equilibria from theory, scripted players."""

from __future__ import annotations

import numpy as np
import pytest
from support.independent.pure import pure

from tacit.agents.policy import PolicyTable, cumulative, deterministic
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.envs import cheap_talk
from tacit.envs.cheap_talk import CheapTalk
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError

SIZES = {  # bias: cells of the most informative equilibrium; of the strict one, on six states
    0.0: ([1] * 6, [1] * 6),
    0.05: ([1] * 6, [1] * 6),
    0.1: ([1] * 6, [1, 2, 3]),
    0.15: ([1, 2, 3], [2, 4]),
    0.2: ([2, 4], [1, 5]),
    0.25: ([1, 5], [1, 5]),
    0.3: ([1, 5], [6]),
    0.4: ([6], [6]),
}


def played(engine: Engine, state: int, said: int, done: int) -> np.ndarray:
    """Measures of one round of one copy."""
    engine.reset()
    engine.rows.state[0, cheap_talk.STATE] = state
    for actions in ([said, engine.market.config.actions], [engine.market.config.states, done]):
        engine.rows.actions[0] = actions
        engine.advance()
    return engine.measures[0].copy()


def test_a_round_by_hand():
    market = CheapTalk({"bias": 0.1})
    measures = played(Engine(market), state=2, said=4, done=7)
    assert measures[0, cheap_talk.PAYOFF] == pytest.approx(-((0.7 - 0.4 - 0.1) ** 2))
    assert measures[1, cheap_talk.PAYOFF] == pytest.approx(-((0.7 - 0.4) ** 2))
    assert measures[0, cheap_talk.FALSE_CLAIM] == 1.0
    assert measures[0, cheap_talk.CLAIMED_ABOVE] == pytest.approx(0.4)
    assert measures[1, cheap_talk.ERROR] == measures[2, cheap_talk.ERROR] == pytest.approx(0.3)
    assert measures[2, cheap_talk.WELFARE] == pytest.approx(-0.13)
    honest = played(Engine(market), state=5, said=5, done=10)
    assert honest[0, cheap_talk.FALSE_CLAIM] == honest[1, cheap_talk.PAYOFF] == 0.0


@pytest.mark.slow
def test_compiled_and_plain_python_agree():
    market, key = CheapTalk({}), np.uint64(12345)
    rows = [np.zeros(2), np.zeros(2)]
    filled = [np.zeros((3, 5)), np.zeros((3, 5))]
    for way, state, measures in zip((lambda f: f, pure), rows, filled, strict=True):
        way(cheap_talk.reset)(market.params, state, key)
        for phase, actions in enumerate(([3, 11], [6, 8])):
            way(cheap_talk.play)(market.params, state, phase, np.array(actions), measures, key)
    assert rows[0].tolist() == rows[1].tolist()
    assert filled[0].tolist() == filled[1].tolist()


def test_states_are_equally_likely():
    engine = Engine(CheapTalk({}), copies=6000)
    for count in range(2):
        engine.reset()
        for _ in range(2 * count):
            engine.rows.actions[:] = [0, 0]
            engine.advance()
        drawn = np.bincount(engine.rows.state[:, cheap_talk.STATE].astype(int), minlength=6)
        assert abs(drawn - 1000).max() < 120


# --- theory --------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", SIZES)
def test_equilibria_on_the_grid(bias):
    market = CheapTalk({"bias": bias})
    for strict, sizes in enumerate(SIZES[bias]):
        found = market.equilibrium(bool(strict))
        assert [len(cell) for cell in found.cells] == sizes
        means = [np.mean([market.states[k] for k in cell]) for cell in found.cells]
        assert found.actions == pytest.approx(means)


def tables(market: CheapTalk, strict: bool) -> list[PolicyTable]:
    """The equilibrium as policy tables: a cell's message is its first state, a message that is not
    sent is read as the cell that its state lies in."""
    found, (sender, receiver) = market.equilibrium(strict), market.roles
    cell_of = {t: k for k, cell in enumerate(found.cells) for t in cell}
    said = [found.cells[cell_of[t]][0] for t in range(len(market.states))]
    done = [market.grid.index(found.actions[cell_of[t]]) for t in range(len(market.states))]
    talks = deterministic(sender, np.array([*said, len(market.states)]))
    return [talks, deterministic(receiver, np.array([len(market.grid), *done]))]


@pytest.mark.parametrize("bias", [0.1, 0.2])
@pytest.mark.parametrize("strict", [False, True])
def test_no_deviation_pays_and_from_strict_ones_it_costs(bias, strict):
    """Played through the kernels, in every state, against every other message and action."""
    market = CheapTalk({"bias": bias})
    engine, own = Engine(market), tables(market, strict)
    says, does = (t.argmax(axis=1) for t in own)
    payoff = np.array([
        [played(engine, t, m, does[1 + m])[:2, cheap_talk.PAYOFF] for m in range(6)]
        for t in range(6)
    ])  # fmt: skip
    kept = payoff[range(6), says[:6], 0]
    other = does[None, 1:] != does[1 + says[:6]][:, None]  # messages that are read otherwise
    loss = np.where(other, kept[:, None] - payoff[:, :, 0], np.inf)
    assert loss.min() > (1e-9 if strict else -1e-12)
    for m in np.unique(says[:6]):
        sent = np.flatnonzero(says[:6] == m)
        by_action = [sum(played(engine, t, m, a)[1, 0] for t in sent) for a in range(11)]
        assert max(by_action) <= by_action[does[1 + m]] + 1e-12


def test_benchmarks_are_what_their_tables_earn():
    market = CheapTalk({"bias": 0.2})
    marks = market.benchmarks()
    assert marks["babbling"].values["error"] == pytest.approx(0.3)
    for name, strict in (("informative", False), ("strict", True)):
        engine = Engine(market, copies=4000)
        engine.reset()
        sums = engine.play(cumulative(market, tables(market, strict))[None], 20)
        mean = sums.measures.mean(axis=0) / 20
        values = marks[name].values
        assert mean[2, cheap_talk.ERROR] == pytest.approx(values["error"], abs=0.003)
        assert mean[2, cheap_talk.WELFARE] == pytest.approx(values["welfare"], abs=0.003)
        assert mean[:2, 0].mean() == pytest.approx(values["payoff"], abs=0.002)
    assert "{0} {0.2, 0.4, 0.6, 0.8, 1}" in marks["strict"].source


def test_an_action_grid_that_misses_the_means_ties():
    market = CheapTalk({"states": 3, "actions": 2, "bias": 0.1})
    assert market.best_actions(range(3)) == [0.0, 1.0]
    assert market.equilibrium().actions == (0.0, 1.0)


def test_loss_avoided():
    market = CheapTalk({})
    assert market.derived({"payoff/receiver_0": 0.0}) == {"loss_avoided": 1.0}
    babble = {"payoff/receiver_0": -float(np.var(market.states))}
    assert market.derived(babble) == {"loss_avoided": pytest.approx(0.0)}


# --- scripted players ----------------------------------------------------------------------------


def script(market: CheapTalk, seat: str, rule: str) -> list[int]:
    config = ScriptedConfig(rule=rule)
    return Scripted(config, market, market.seat(seat)).table().argmax(axis=1).tolist()


def test_scripts():
    market = CheapTalk({})
    assert script(market, "sender_0", "truthful") == [0, 1, 2, 3, 4, 5, 6]
    assert script(market, "sender_0", "always_bluff") == [1, 2, 3, 4, 5, 5, 6]
    assert script(market, "receiver_0", "trusting") == [11, 0, 2, 4, 6, 8, 10]
    with pytest.raises(ConfigError, match="no rule 'trusting' for a sender"):
        script(market, "sender_0", "trusting")


def test_a_transcript_reads_like_a_talk():
    market = CheapTalk({})
    measures = played(Engine(market), state=1, said=3, done=4)
    assert market.transcript(np.array([[3, 11], [6, 4]]), measures) == [
        "sender_0, in state 0.2, says 0.6 (false)",
        "receiver_0 does 0.4",
        "payoffs: sender -0.01, receiver -0.04",
    ]


def test_mistakes():
    with pytest.raises(ConfigError, match=r"market\.bias: must be .*greater than or equal to 0"):
        CheapTalk({"bias": -0.1})
    with pytest.raises(ConfigError, match=r"market\.states"):
        CheapTalk({"states": 13})
