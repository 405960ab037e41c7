"""Why a deal was done: every number computed again, and whole explanations as they were read."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from support.terminal import Terminal, mistake_lines

from tacit.agents.tabular.recording import NOTHING
from tacit.envs import rng
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.training.record.deals import DealName
from tacit.training.record.replay import SeedReplay
from tacit.training.record.why import explain
from tacit.training.runs.runner import train
from tacit.training.show.why_text import _apart, why_lines
from tacit.training.storage.load_run import load_run

GOLDEN = Path(__file__).parent / "golden"
# Two deals of every market: (experiment, arm, settings), then rounds.
TALKS = {
    "volatility_kpi": ("second_1", ["train.rounds=8000", "train.measure_last=2000"], (0, 7_981)),
    "calvano_baseline": ("base", ["train.rounds=8000", "train.measure_last=1000"], (1_500, 7_990)),
    "overpromise": ("booking", ["train.rounds=4000", "train.measure_last=1000"], (1_000, 3_990)),
    "calvano_monitoring": ("perfect", ["train.rounds=8000", "train.measure_last=1000"], (9, 7_999)),
    "cheap_talk": ("base", ["train.rounds=4000", "train.measure_last=1000"], (7, 3_999)),
    "cost_of_hire": ("cost", ["train.rounds=4000", "train.measure_last=1000"], (5, 3_990)),
    "priority_claims": ("promise", ["train.rounds=4000", "train.measure_last=1000"], (5, 3_990)),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    for name, (arm, settings, _) in TALKS.items():
        arms = [] if arm == "base" else [arm]
        train(name, [*settings, "seeds=1"], arms=arms, results=folder)
    return folder


def told(results, name, round_, copy=0):
    run = load_run(name, results)
    replay = SeedReplay(run.folder, next(iter(run.arms.values())), 0)
    return replay, explain(replay, DealName(0, 0, copy, round_))


CASES = [(name, round_) for name, (_, _, rounds) in TALKS.items() for round_ in rounds]


@pytest.mark.parametrize(("name", "round_"), CASES)
def test_golden_explanations(name, round_, results):
    """Remove a file to have it written anew; then read it aloud."""
    lines = "\n".join(why_lines(told(results, name, round_)[1])) + "\n"
    path = GOLDEN / f"{name}-{round_}.txt"
    if not path.exists():
        path.write_text(lines, encoding="utf-8")
    assert lines == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "round_"), CASES)
def test_what_else_would_have_brought_is_what_the_engine_plays(name, round_, results):
    """The same round in the engine, from the same state, with the other action."""
    replay, explanation = told(results, name, round_)
    arm, market = replay.arm, replay.arm.market
    replay.go_to(round_)
    recording = replay.record(1)
    single_phase = len(market.phases) == 1
    for decision in explanation.decisions:
        if decision.second is None or not single_phase:
            continue
        engine = Engine(market, arm.kpi, seeds=[arm.seed])
        engine.reset()
        engine.rows.state[:] = recording.states[0]
        actions = np.maximum(recording.actions[0, :, 0], 0).astype(np.int64)
        actions[0, decision.seat.index] = decision.second.action
        key = rng.copy_keys([arm.seed], 1, rng.NATURE)
        clock = recording.clock[0]
        played = play_round(engine, key, actions, int(clock[1]), int(clock[2]))
        for seat in market.seats:
            column = market.columns[seat.role.fundamental]
            expected = played[0, seat.index, column]
            assert decision.second.outcome.fundamental[seat.name] == expected


def play_round(engine, key, actions, episode, round_):
    """One round of a market of one phase with given actions; measures float64 `[N, S + 1, M]`."""
    from tacit.envs.engine.engine import TEMPLATE
    from tacit.envs.jit.loops import compiled

    engine.rows.actions[:] = actions
    compiled(TEMPLATE, engine.market.kernels).step(
        engine.game, key, engine.rows, episode, round_, 0
    )
    return engine.rows.measures


@pytest.mark.parametrize(("name", "round_"), CASES)
def test_facts_are_those_of_the_record(name, round_, results):
    replay, explanation = told(results, name, round_)
    replay.go_to(round_)
    before = replay.group.state()
    recording = replay.record(1)
    market = replay.arm.market
    assert explanation.decisions
    for decision in explanation.decisions:
        seat, phase = decision.seat, decision.phase
        o = int(recording.observations[0, 0, phase, seat.index])
        assert o != NOTHING
        assert decision.saw == {
            k: v for k, v in seat.role.decode_observation(o).items() if k != "phase"
        }
        assert decision.action == recording.actions[0, 0, phase, seat.index]
        assert decision.probability == recording.probabilities[0, 0, phase, seat.index]
        for claim in decision.claims:
            assert 0.0 < claim.frequency <= 1.0 + 1e-12
            assert claim.is_false == (claim.honest is not None)
            assert claim.is_false == (claim.said != claim.so)  # the same words in these markets
    for seat in market.seats:
        column = market.columns[seat.role.fundamental]
        measured = recording.measures[0, 0, seat.index, column]
        assert explanation.outcome.fundamental[seat.name] == measured
    replay.group.load(before)


def check_policies(explainer, copy):
    """In every decision of a copy the policy that is computed is the probability recorded."""
    recording, market = explainer.recording, explainer.market
    chose = [
        (seat, phase)
        for phase in range(len(market.phases))
        for seat in market.seats
        if explainer._chose(seat, phase)
    ]
    assert chose
    for seat, phase in chose:
        o = int(recording.observations[0, copy, phase, seat.index])
        action = recording.actions[0, copy, phase, seat.index]
        policy = explainer._policy(seat, o, explainer._values(seat, phase))
        recorded = recording.probabilities[0, copy, phase, seat.index]
        assert policy[action] == pytest.approx(recorded, abs=1e-15)
        assert policy.sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("name", ["volatility_kpi", "calvano_baseline", "overpromise"])
def test_policies_of_a_decision_are_those_that_acted(name, results):
    """The probability that was recorded is the one that is computed from Q values afterwards."""
    from tacit.training.record.why import _Explainer

    run = load_run(name, results)
    replay = SeedReplay(run.folder, run.arms[TALKS[name][0]], 0)
    for round_ in (0, 1, 50, 777, 3_000):
        replay.go_to(round_)
        explainer = _Explainer(replay, DealName(0, 0, 0, round_))
        check_policies(explainer, 0)


def test_explaining_leaves_the_replay_where_it_was(results):
    replay, _ = told(results, "overpromise", 1_000)
    again = SeedReplay(replay._run, replay.arm, 0)
    again.go_to(1_000)
    for name, array in again.group.state().items():
        assert array.tobytes() == replay.group.state()[name].tobytes(), name


def test_what_actions_are_worth_on_a_chain_is_the_sum_of_its_rounds(results):
    """Calvano's market: the action, then everybody's greedy tables, profits added up by hand."""
    replay, explanation = told(results, "calvano_baseline", 7_990)
    market, arm = replay.arm.market, replay.arm
    replay.go_to(7_990)
    tables = replay.group.tables()
    decision = explanation.decisions[0]
    column, discount = market.columns["profit"], decision.discount
    for action, expected in decision.worth.terms.items():
        engine = Engine(market, arm.kpi, seeds=[0])
        engine.reset()
        replay.go_to(7_990)
        engine.rows.state[:] = replay.group.rows.state
        engine.rows.observations[:] = replay.group.rows.observations
        total = 0.0
        for t in range(800):
            greedy = [int(table[engine.rows.observations[0, s]].argmax())
                      for s, table in enumerate(tables)]  # fmt: skip
            if t == 0:
                greedy[0] = action
            measures = play_round(engine, rng.copy_keys([0], 1, rng.NATURE), [greedy], 0, t)
            total += discount**t * measures[0, 0, column]
        assert expected[0] == pytest.approx(total, abs=1e-8)


def test_what_an_action_is_worth_in_a_round_is_its_mean_over_what_is_not_seen(results):
    """Procurement: the same offer many times over against everybody's frozen tables."""
    from tacit.agents.policy import cumulative
    from tacit.envs.engine.engine import TEMPLATE
    from tacit.envs.jit.loops import compiled

    replay, explanation = told(results, "overpromise", 3_990)
    market, arm = replay.arm.market, replay.arm
    replay.go_to(3_990)
    tables = [table.copy() for table in replay.group.tables()]
    # In the first phase: what a seat sees there does not depend on what others do.
    decision = next(d for d in explanation.decisions if not d.phase and d.worth.reason is None)
    role = decision.seat.role
    o = role.legal.shape[0]
    seen = next(k for k in range(o) if {n: v for n, v in role.decode_observation(k).items()
                                        if n != "phase"} == decision.saw)  # fmt: skip
    for action, expected in decision.worth.terms.items():
        forced = [table.copy() for table in tables]
        forced[decision.seat.index][seen] = 0.0
        forced[decision.seat.index][seen, action] = 1.0
        engine = Engine(market, arm.kpi, seeds=[5], copies=40_000)
        engine.reset()
        nature = rng.copy_keys([5], 40_000, rng.NATURE)
        actor = rng.copy_keys([5], 40_000, rng.ACTION)
        observed = engine.rows.observations[:, decision.seat.index].copy()
        measures, scores = np.zeros_like(engine.rows.measures), np.zeros_like(engine.rows.scores)
        compiled(TEMPLATE, market.kernels).play_tables(
            engine.game, nature, actor, cumulative(market, forced)[None], engine.rows, 0, 0, 1,
            measures, scores,
        )  # fmt: skip
        rows = observed == seen
        first = sum(len(arm.kpi[s.name]) for s in market.seats[: decision.seat.index])
        sample = scores[rows, first]
        error = 5 * sample.std() / np.sqrt(len(sample)) + 1e-12
        assert abs(sample.mean() - expected[0]) <= error


NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?(?:e-?\d+)?")


@pytest.mark.parametrize(("name", "round_"), CASES)
def test_every_number_in_the_text_is_a_fact(name, round_, results):
    """No number is made up by the words: each one is among the facts, as it is printed."""
    _, explanation = told(results, name, round_)
    facts = set(_printed(explanation))
    texts = list(why_lines(explanation))[2 + len(explanation.lines) :]
    for line in texts:
        if line.startswith("  Its KPI: it is paid "):
            continue  # the KPI in words, which has tests of its own
        for number in NUMBER.findall(re.sub(r"[a-z]+_\d+", "", line)):
            assert number in facts, (number, line)


def _printed(explanation):
    """Every fact as the text prints it."""
    values = [*explanation.outcome.fundamental.values(), *explanation.outcome.reward.values()]
    for d in explanation.decisions:
        values += [*d.saw.values(), *d.did.values(), d.discount]
        yield f"{d.probability:.1%}"[:-1]
        others = [c.honest for c in d.claims] + [d.second]
        for claim in d.claims:
            values += [claim.said, claim.so]
            yield f"{claim.frequency:.0%}"[:-1]
        for other in (x for x in others if x is not None):
            values += [*other.did.values(), *other.outcome.fundamental.values()]
            values += other.outcome.reward.values()
        if d.beliefs is not None:
            values += list(d.beliefs.values)
        for worth in d.worth.terms.values():
            values += list(worth)
        if len(d.worth.terms) == 2:
            terms = explanation.arm.kpi[d.seat.name].values()
            own, other = (d.worth.terms[a] for a in (d.action, d.second.action))
            weights = [t.weight for t in terms]
            for worth in (own, other):
                values.append(sum(w * x for w, x in zip(weights, worth, strict=True)))
            values.append(
                abs(sum(w * (a - b) for w, a, b in zip(weights, own, other, strict=True)))
            )
    for value in values:
        if isinstance(value, int | float):
            value = 0.0 if abs(value) < 1e-9 else float(value)
            yield from (f"{value:.3g}", f"{value:g}", f"{value:,.0f}")
            yield from (f"{value:,.{digits}g}" for digits in range(4, 10))
        else:
            yield from NUMBER.findall(re.sub(r"[a-z]+_\d+", "", str(value)))


def test_printed_numbers_differ_by_what_they_differ():
    """A reader subtracts; both get the digits that this needs, and no more."""
    assert _apart(5.3254, 5.3288) == ("5.3254", "5.3288")
    assert _apart(10.0971, 10.0998) == ("10.0971", "10.0998")
    assert _apart(5.301, 9.0) == ("5.301", "9")
    assert _apart(0.25, 0.25) == ("0.25", "0.25")
    assert _apart(189_050.0, 189_000.0) == ("189,050", "189,000")
    assert _apart(1_234_567.25, 1_234_567.5) == ("1,234,567.25", "1,234,567.5")


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def tacit(results, monkeypatch, capsys):
    return Terminal(results.parent, monkeypatch, capsys)


def test_the_command_explains_a_deal_or_the_worst(tacit, results):
    where = ["--results", str(results)]
    result = tacit("why", "overpromise", "s0/b0/c0/r3990", *where)
    assert result.code == 0
    assert result.out == (GOLDEN / "overpromise-3990.txt").read_text()
    result = tacit("why", "overpromise", "--worst", "2", *where)
    assert result.code == 0
    assert result.out.count("What happened:") == 2


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "DEAL: give one, as tacit deals names it, or --worst N."),
        (["s0/b0/c0/r1", "--worst", "2"], "DEAL: give one"),
        (["round 7"], "DEAL: must be like s0/b0/c0/r1200, got 'round 7'."),
        (["s0/b0/c0/r4000"], "DEAL: s0/b0/c0/r4000 does not exist; seed 0 of arm booking has"),
        (["s0/b0/c1/r0"], "DEAL: s0/b0/c1/r0 does not exist"),
        (["s1/b0/c0/r0"], "DEAL: arm booking has seeds 0 to 0, got 1."),
        (["s0/b1/c0/r0"], "DEAL: there is no branch 1"),
    ],
)
def test_mistakes_of_the_command(words, line, tacit, results):
    (found,) = mistake_lines(tacit("why", "overpromise", *words, "--results", str(results)))
    assert found.startswith(line)


def test_agents_that_are_not_tacits_cannot_be_asked(results):
    run = load_run("overpromise", results)
    replay = SeedReplay(run.folder, run.arms["booking"], 0)
    replay.go_to(5)
    plain = replay.group

    class Other:
        def __getattr__(self, name):
            if name == "seed_state":
                raise AttributeError(name)
            return getattr(plain, name)

    replay.group = Other()
    with pytest.raises(ConfigError, match="cannot be asked"):
        explain(replay, DealName(0, 0, 0, 5))


SEVERAL = ["agents.supplier={name: q_learning}", "agents.buyer={name: q_learning}",
           "train.rounds=400", "train.measure_last=100", "train.copies=2", "seeds=1"]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "arm", "settings"),
    [
        ("volatility_kpi", "second_1", ["train.rounds=700", "train.measure_last=200",
                                        "train.episode_rounds=7", "train.copies=2", "seeds=1"]),
        ("bluff_equilibrium", "scarcity_.1", SEVERAL),
    ],
)  # fmt: skip
def test_values_are_those_with_which_a_seat_decided(name, arm, settings, tmp_path):
    """Also at the end of an episode, and where a seat decides in several phases of a round: it
    learns between its decisions."""
    from tacit.training.record.why import _Explainer

    train(name, settings, arms=[arm], results=tmp_path)
    run = load_run(name, tmp_path)
    replay = SeedReplay(run.folder, run.arms[arm], 0)
    for round_ in (0, 6, 13, 104, 105, 300, 398):
        replay.go_to(round_)
        explainer = _Explainer(replay, DealName(0, 0, 1, round_))
        check_policies(explainer, 1)


@pytest.mark.slow
def test_means_over_draws_are_not_called_exact(tmp_path):
    """Who is served in a surge is drawn: the worth of asking is a mean over sampled lotteries."""
    train("surge_priority", ["train.rounds=400", "train.measure_last=100", "seeds=1"],
          arms=["uptime_.4"], results=tmp_path)  # fmt: skip
    run = load_run("surge_priority", tmp_path)
    replay = SeedReplay(run.folder, run.arms["uptime_.4"], 0)
    lines = list(why_lines(explain(replay, DealName(0, 0, 0, 399))))
    truths = [line for line in lines if "On average, if" in line]
    assert truths
    assert all("means over sampled draws, not exact" in line for line in truths)


def test_a_claim_is_compared_by_position_not_by_its_words(tmp_path):
    """`ample` means `calm`, `tight` means `surge`."""
    settings = ["train.rounds=400", "train.measure_last=100", "seeds=1", "market.capacity=1",
                "market.headroom_claims=true",
                "market.surge={enter: 0.1, leave: 0.3, multiplier: 2}"]  # fmt: skip
    train("cloud_bandwidth", settings, results=tmp_path)
    run = load_run("cloud_bandwidth", tmp_path)
    replay = SeedReplay(run.folder, next(iter(run.arms.values())), 0)
    pairs = {"ample": "calm", "tight": "surge"}
    seen = set()
    for round_ in range(300, 340):
        found = explain(replay, DealName(0, 0, 0, round_))
        for decision in found.decisions:
            for claim in decision.claims:
                assert claim.is_false == (pairs[claim.said] != claim.so)
                seen.add(claim.is_false)
                if claim.honest is not None:
                    assert pairs[claim.honest.did[claim.claim.part]] == claim.so
        assert list(why_lines(found))
    assert seen == {True, False}
