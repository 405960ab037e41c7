"""To what a harm is due: factors, swaps, shares that add up."""

from __future__ import annotations

import json

import pytest
from support.terminal import SMALL, Terminal, mistake_lines
from support.training_fixtures import arm

from tacit.envs.errors import ConfigError
from tacit.training.storage.run_folder import RunFolder
from tacit.training.studies import blame as study
from tacit.training.studies.blame import ARM, REFERENCE, differing_factors, factor_of, plan, shares

MEASURE = "revenue"


@pytest.mark.parametrize(
    ("key", "factor"),
    [
        ("kpi.bidder_0.price_change.weight", "KPI"),
        ("market.price_mix", "market's rules"),
        ("agents.bidder_0.discount", "patience"),
        ("agents.bidder_0.epsilon_decay", "exploration"),
        ("agents.bidder_0.learning_rate", "learner"),
        ("agents.bidder_0.name", "learner"),
        ("train.rounds", "training"),
        ("seeds", None),
        ("seed", None),
        ("record.keyframe_bytes", None),
    ],
)
def test_every_setting_belongs_to_a_factor(key, factor):
    assert factor_of(key) == factor


def changed(*settings):
    return arm(*SMALL, *settings)


def test_settings_that_differ_are_told_by_role_where_seats_agree():
    one = changed()
    other = changed("kpi.bidder.price_change=-1", "agents.bidder_1.discount=.5")
    found = differing_factors(one, other)
    assert list(found) == ["KPI", "patience"]
    assert found["KPI"]["kpi.bidder.price_change.weight"] == (None, -1.0)
    assert found["patience"]["agents.bidder_1.discount"][1] == 0.5


def test_arms_that_are_trained_have_one_factor_of_the_other():
    one, other = changed("kpi.bidder.price_change=-1"), changed("agents.bidder.discount=.5")
    arms = plan(one, other, 2)
    assert list(arms) == [
        ARM, REFERENCE, "arm_with_KPI_of_reference", "reference_with_KPI_of_arm",
        "arm_with_patience_of_reference", "reference_with_patience_of_arm",
    ]  # fmt: skip
    assert arms["arm_with_KPI_of_reference"].plain["kpi"] == other.plain["kpi"]
    assert arms["arm_with_KPI_of_reference"].plain["agents"] == one.plain["agents"]
    # With two factors the arm with one of the reference is the reference with the other of the arm.
    assert arms["arm_with_KPI_of_reference"].plain == arms["reference_with_patience_of_arm"].plain
    assert {own.seeds for own in arms.values()} == {2}
    assert {own.seeds for own in plan(one, other, 7).values()} == {7}  # more than the arms have


def test_one_factor_needs_no_further_arms():
    assert list(plan(changed(), changed("market.price_mix=1"), 2)) == [ARM, REFERENCE]


def test_another_learner_keeps_patience_and_exploration():
    one = changed("agents.bidder={name: q_learning, discount: .3, epsilon: .2}")
    other = changed(
        "agents.bidder={name: q_learning, discount: .9, epsilon: .1, learning_rate: .7}"
    )
    learner = study.swapped(one, other, "learner", "x").plain["agents"]["bidder_0"]
    assert (learner["learning_rate"], learner["discount"], learner["epsilon"]) == (0.7, 0.3, 0.2)
    patience = study.swapped(one, other, "patience", "x").plain["agents"]["bidder_0"]
    assert patience["discount"] == 0.9
    assert patience["epsilon"] == 0.2
    explores = study.swapped(one, other, "exploration", "x").plain["agents"]["bidder_0"]
    assert (explores["discount"], explores["epsilon"]) == (0.3, 0.1)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ([], "--reference: differs in nothing from the arm."),
        (["market.bidders=3"], "--reference: must be in the same market, with the same seats."),
    ],
)
def test_arms_that_cannot_be_compared_are_refused(settings, line):
    with pytest.raises(ConfigError) as error:
        plan(changed(), changed(*settings), 2)
    assert error.value.mistakes == [line]


def values(**by_arm):
    return {name: {MEASURE: own} for name, own in by_arm.items()}


FACTORS = {"KPI": {"kpi.bidder.x": (1, 0)}, "patience": {"agents.bidder.discount": (0.9, 0)}}


def test_shares_of_two_factors_are_the_shapley_value():
    """y: A 1, B 10; KPI alone brings 4 back, patience alone 3: together 2 more than singly."""
    found = shares(
        FACTORS,
        values(
            arm=[1.0, 1.0], reference=[10.0, 10.0],
            arm_with_KPI_of_reference=[5.0, 5.0], reference_with_patience_of_arm=[5.0, 5.0],
            arm_with_patience_of_reference=[4.0, 4.0], reference_with_KPI_of_arm=[4.0, 4.0],
        ),
        MEASURE,
    )  # fmt: skip
    assert [s.factor for s in found.shares] == ["KPI", "patience"]
    kpi, patience = found.shares
    assert (kpi.taken_out.mean, kpi.put_in.mean, kpi.share.mean) == (4.0, 6.0, 5.0)
    assert (patience.taken_out.mean, patience.put_in.mean, patience.share.mean) == (3.0, 5.0, 4.0)
    assert found.harm.mean == 9.0
    assert found.rest.mean == 0.0
    assert found.interaction.mean == 2.0
    assert [row["of the whole"] for row in found.rows()] == ["56%", "44%", "100%"]


def test_rows_of_three_factors_add_up_with_what_is_left():
    by_arm = {"arm": [0.0, 1.0], "reference": [9.0, 11.0]}
    factors = {**FACTORS, "learner": {"agents.bidder.name": ("a", "b")}}
    for k, factor in enumerate(factors):
        by_arm[f"arm_with_{factor}_of_reference"] = [1.0 + k, 2.0]
        by_arm[f"reference_with_{factor}_of_arm"] = [7.0, 6.0 + k]
    found = shares(factors, values(**by_arm), MEASURE)
    total = sum(s.share.mean for s in found.shares) + found.rest.mean
    assert total == pytest.approx(found.harm.mean)
    assert [row["due to"] for row in found.rows()][-2:] == ["not shared out", "the whole"]


def test_intervals_are_of_paired_differences():
    found = shares(
        {"KPI": FACTORS["KPI"]}, values(arm=[1.0, 5.0, 9.0], reference=[2.0, 6.0, 10.0]), MEASURE
    )
    assert (found.harm.mean, found.harm.low, found.harm.high) == (1.0, 1.0, 1.0)


# --- trained -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_harm_that_only_the_rules_do_is_due_to_the_rules(tmp_path):
    """Two scripts of which the KPI changes nothing: all of the harm lies in the reserve price."""
    scripts = "agents.bidder={name: scripted, rule: collusive}"
    one = changed(scripts, "kpi.bidder.price_change=-1")
    other = changed(scripts, "market.reserve=.5")
    found = study.blame(one, other, RunFolder(tmp_path / "x"), 2, "revenue")
    by_factor = {s.factor: s.share.mean for s in found.shares}
    assert by_factor["market's rules"] == pytest.approx(found.harm.mean)
    assert by_factor["KPI"] == pytest.approx(0.0)
    again = study.blame(one, other, RunFolder(tmp_path / "x"), 2, "revenue")
    assert again.plain() == found.plain()
    with pytest.raises(ConfigError, match=r"--measure: unknown 'revenu'\. Did you mean 'revenue'"):
        study.blame(one, other, RunFolder(tmp_path / "x"), 2, "revenu")


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


@pytest.mark.slow
def test_the_command_prints_shares_that_add_up(tacit):
    tacit.train("ad_auction", "kpi.bidder.price_change=-1")
    words = ["blame", "ad_auction", "kpi.bidder.price_change=0", "agents.bidder.discount=0"]
    result = tacit(*words, "--json")
    assert result.code == 0
    found = json.loads(result.out)
    parts = sum(s["share"]["mean"] for s in found["shares"]) + found["rest"]["mean"]
    assert parts == pytest.approx(found["harm"]["mean"])
    assert [s["share"]["n"] for s in found["shares"]] == [2, 2]
    shown = tacit(*words)
    first, _head, *rows, last = shown.out.splitlines()[1:]
    assert first.startswith(f"{found['measure']}: ")
    assert rows[-1].startswith("the whole")
    assert last.startswith("Interaction: what the factors do together, less the sum ")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "--reference: give an arm of the run, or key=value settings."),
        (["--reference", "bas"], "--arm: unknown arm 'bas'. Did you mean 'base'?"),
        (["market.price_mx=1"], "market.price_mx: unknown key. Did you mean 'market.price_mix'?"),
        (["market.price_mix=2"], "market.price_mix: must be less than or equal to 1, got 2."),
        (["seeds"], "seeds: must be key=value, as in market.bidders=3."),
    ],
)
def test_mistakes_of_the_command(words, line, tacit):
    tacit.train("ad_auction")
    (found,) = mistake_lines(tacit("blame", "ad_auction", *words))
    assert found == line


# --- what cannot be to blame ---------------------------------------------------------------------


@pytest.mark.parametrize("key", ["seeds", "seed", "record.keyframe_bytes"])
def test_nothing_is_due_to_seeds_and_records(key):
    with pytest.raises(ConfigError, match=f"{key}: nothing can be due to it"):
        study.changed(changed(), [(key, 3)], "reference")


def test_of_a_term_that_is_there_only_the_weight_changes():
    """As `tacit train` has it: measure, scope and transform stay."""
    scoped = changed("kpi.bidder.profit={weight: 1, scope: role}")
    other = study.changed(scoped, [("kpi.bidder.profit", 0.5)], "reference")
    term = other.kpi["bidder_1"]["profit"]
    assert (term.weight, term.scope) == (0.5, "role")
    added = study.changed(scoped, [("kpi.bidder_0.price_change", -2.0)], "reference")
    assert added.kpi["bidder_0"]["price_change"].weight == -2.0
    assert "price_change" not in added.kpi["bidder_1"]


def test_exploration_that_only_one_learner_has_belongs_to_the_learner():
    one, other = changed(), changed("agents.bidder={name: multiplicative_weights}")
    assert list(differing_factors(one, other)) == ["learner"]


def test_arms_that_begin_where_another_ends_are_refused():
    one = arm("seeds=2", config="betrayal", arms=["allies", "betrayed"])
    from tacit.training.config.load import load

    arms = load("betrayal", ["seeds=2"]).arms
    started = next(own for own in arms.values() if own.train.starts_from is not None)
    with pytest.raises(ConfigError, match="begins where another arm ends"):
        plan(one, started, 2)


def test_no_share_is_told_of_a_harm_that_is_not_shown():
    found = shares({"KPI": FACTORS["KPI"]}, values(arm=[1.0, 3.0], reference=[2.0, 2.0]), MEASURE)
    assert {row["of the whole"] for row in found.rows()} == {"-"}


def test_arms_of_the_same_configuration_are_trained_once():
    arms = plan(changed("kpi.bidder.price_change=-1"), changed("agents.bidder.discount=.5"), 2)
    assert len(arms) == 6
    assert len(set(study.same_as(arms).values())) == 4
