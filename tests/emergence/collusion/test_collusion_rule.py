"""Every condition of the rule for collusion, at its threshold, in its bound, and in its absence."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from support.populations import default_kpi, exact, prices

from tacit.emergence.collusion.sharing_word import ONE_SIDED, ROTATION, SHARED, sharing_word
from tacit.emergence.collusion.verdict import (
    COMPETITIVE,
    NEARLY,
    QUALIFIERS,
    TACIT,
    TOUGHER,
    WORDS,
    collusion,
    decide,
)
from tacit.emergence.evidence import MIN_SEEDS, UNDECIDED, Evidence
from tacit.emergence.stats import student
from tacit.envs.registry import make_market

UPHELD = {
    "frozen_index": 0.85,
    "tempted_states": 0.98,
    "deterred_deviations": 0.9,
    "upheld_deviations": 0.88,
    "rival_response": -0.12,
}
NOT_SHOWN = "not shown above competition"
STATIC = "above competition, nobody would leave"
UNPUNISHED = "above competition, unpunished"
DISORDER = "above competition, deterred by disorder"
NAN = float("nan")


def around(mean, spread=0.0, n=MIN_SEEDS):
    """Values whose mean is `mean` and whose 95 % interval is `mean` +- `spread`."""
    offsets = [2 * k / max(n - 1, 1) - 1 for k in range(n)]
    half = student(offsets).high if n > 1 else 1.0
    return [mean + spread * x / half for x in offsets]


def evidence(n=MIN_SEEDS, market=None, **figures):
    """An arm; a figure is its mean, or the mean with the half width of its interval."""
    market = market or prices()
    values = {}
    for name, x in (UPHELD | figures).items():
        if x is not None:
            values[name] = around(*(x if isinstance(x, tuple) else (x, 0.001)), n=n)
    return Evidence(market, default_kpi(market), values, n)


def word(**figures):
    return decide(evidence(**figures)).word


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        ((0.0, 0.049), COMPETITIVE),
        ((0.0, 0.051), NEARLY),  # the whole interval, not the mean
        ((0.045, 0.001), COMPETITIVE),
        ((0.045, 0.01), NEARLY),
        ((-0.045, 0.01), NEARLY),
        ((-0.06, 0.005), TOUGHER),
        ((-0.06, 0.02), NEARLY),  # upper end above -.05
        ((-0.06, 0.06), NOT_SHOWN),  # lower end below -.10, upper above -.05
        ((0.09, 0.005), NEARLY),
        ((0.09, 0.02), NOT_SHOWN),
        ((0.11, 0.02), NOT_SHOWN),  # lower end below .10, though the mean is above
        ((0.12, 0.01), TACIT),  # lower end above .10
        ((0.30, 0.25), NOT_SHOWN),
    ],
)
def test_the_level_is_judged_by_its_whole_interval(index, expected):
    assert word(frozen_index=index) == expected


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"frozen_index": (-0.05, 0.05)}, COMPETITIVE),  # within, ends included
        ({"frozen_index": (-0.1, 0.1)}, NEARLY),
        ({"frozen_index": (-0.1, -0.05)}, NEARLY),  # not wholly below -.05
        ({"frozen_index": (-0.2, -0.05)}, NOT_SHOWN),
        ({"frozen_index": (-0.2, -0.0501)}, TOUGHER),
        ({"frozen_index": (0.1, 0.3)}, NOT_SHOWN),  # not wholly above .10
        ({"frozen_index": (0.1001, 0.3)}, TACIT),
        ({"tempted_states": (0.0, 0.05)}, STATIC),  # at most .05
        ({"tempted_states": (0.05, 0.2)}, UNDECIDED),
        ({"tempted_states": (0.5, 0.9)}, UNDECIDED),  # not wholly above a half
        ({"tempted_states": (0.501, 0.9)}, TACIT),
        ({"upheld_deviations": (0.5, 0.9)}, UNDECIDED),
        ({"upheld_deviations": (0.501, 0.9)}, TACIT),
        ({"upheld_deviations": (0.1, 0.4), "deterred_deviations": (0.1, 0.5)}, UNDECIDED),
        ({"upheld_deviations": (0.1, 0.4), "deterred_deviations": (0.1, 0.499)}, UNPUNISHED),
        ({"upheld_deviations": (0.1, 0.5), "deterred_deviations": (0.1, 0.4)}, UNDECIDED),
        ({"upheld_deviations": (0.1, 0.4), "deterred_deviations": (0.5, 0.9)}, UNDECIDED),
        ({"upheld_deviations": (0.1, 0.4), "deterred_deviations": (0.501, 0.9)}, DISORDER),
        ({"upheld_deviations": (0.1, 0.5), "deterred_deviations": (0.6, 0.9)}, UNDECIDED),
    ],
)
def test_an_interval_that_ends_at_a_bound(figures, expected):
    assert decide(exact(evidence(), figures)).word == expected


@pytest.mark.parametrize(
    ("figures", "word"),
    [
        ({"gain_share/least": (0.1, 0.4)}, SHARED),  # .1 or more
        ({"gain_share/least": (0.0999, 0.4)}, None),
        ({"gain_share/least": (0.0, 0.1)}, None),  # not wholly below .1
        ({"gain_share/least": (0.0, 0.0999)}, ONE_SIDED),
        ({"winner_imbalance": (0.0, 0.1), "gain_share/least": (0.2, 0.4)}, SHARED),
        ({"winner_imbalance": (0.0, 0.0999), "gain_share/least": (0.2, 0.4)}, ROTATION),
    ],
)
def test_a_share_that_ends_at_a_bound(figures, word):
    arm = evidence(winner_dependence=(0.8, 0.01))
    assert sharing_word(exact(arm, {"winner_imbalance": (0.2, 0.3)} | figures))[0] == word


def test_partners_are_judged_where_there_are_enough_seeds_and_partners():
    known = {f"rematched/{name}": x for name, x in UPHELD.items()}
    by_the_rule = [
        [line for line in collusion(e).evidence if line.startswith("by the same rule")]
        for e in (evidence(**known), evidence(n=MIN_SEEDS - 1, **known), evidence())
    ]
    assert [len(lines) for lines in by_the_rule] == [1, 0, 0]
    assert f"exchanged partners: {TACIT} (" in by_the_rule[0][0]


@pytest.mark.parametrize(
    ("tempted", "expected"),
    [
        ((0.04, 0.005), STATIC),
        ((0.04, 0.02), UNDECIDED),  # the upper end, not the mean
        ((0.06, 0.02), UNDECIDED),  # the lower end, not the mean
        ((0.06, 0.005), UNDECIDED),  # upheld where it tempts, but most of the path tempts nobody
        ((0.52, 0.03), UNDECIDED),
        ((0.48, 0.01), UNDECIDED),
        ((0.52, 0.01), TACIT),
    ],
)
def test_whether_anybody_would_leave(tempted, expected):
    assert word(tempted_states=tempted) == expected


@pytest.mark.parametrize(
    ("deterred", "upheld", "expected"),
    [
        ((0.9, 0.02), (0.52, 0.01), TACIT),
        ((0.9, 0.02), (0.52, 0.03), UNDECIDED),  # lower end of upheld
        ((0.48, 0.01), (0.48, 0.01), UNPUNISHED),
        ((0.48, 0.03), (0.48, 0.01), UNDECIDED),  # upper end of deterred
        ((0.4, 0.03), (0.4, 0.2), UNDECIDED),  # upper end of upheld
        ((0.52, 0.01), (0.2, 0.01), DISORDER),
        ((0.52, 0.03), (0.2, 0.01), UNDECIDED),  # lower end of deterred
        ((0.9, 0.03), (0.45, 0.08), UNDECIDED),  # upper end of upheld
    ],
)
def test_what_would_follow(deterred, upheld, expected):
    assert word(deterred_deviations=deterred, upheld_deviations=upheld) == expected


def test_what_tempts_little_may_still_be_unpunished():
    low = {"deterred_deviations": 0.1, "upheld_deviations": 0.1}
    assert word(tempted_states=(0.06, 0.005), **low) == UNPUNISHED
    assert word(tempted_states=(0.06, 0.02), **low) == UNDECIDED


def test_the_word_names_the_condition_that_decided():
    decided = {
        COMPETITIVE: (evidence(frozen_index=0.0), "lies within +-.050"),
        NOT_SHOWN: (evidence(frozen_index=(0.2, 0.15)), "is not wholly above .100"),
        STATIC: (evidence(tempted_states=0.0), "is at most .050"),
        UNPUNISHED: (evidence(deterred_deviations=0.1, upheld_deviations=0.1), "is below .500"),
        TACIT: (evidence(), "upheld .880 [.879, .881] is above .500"),
    }
    for expected, (arm, why) in decided.items():
        verdict = collusion(arm)
        assert verdict.word == expected
        assert verdict.evidence[0].startswith("decided by: ")
        assert why in verdict.evidence[0]


def test_in_buyers_markets_the_words_say_below():
    market = make_market("ad_auction", {"observe": "bids"})
    assert word(market=market) == TACIT
    assert word(market=market, tempted_states=0.0) == "below competition, nobody would leave"
    assert word(market=market, frozen_index=(0.2, 0.15)) == "not shown below competition"
    low = {"deterred_deviations": 0.1, "upheld_deviations": 0.1}
    assert word(market=market, **low) == "below competition, unpunished"
    disorder = {"deterred_deviations": 0.9, "upheld_deviations": 0.1}
    assert word(market=market, **disorder) == "below competition, deterred by disorder"


# --- words that are withheld ----------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, MIN_SEEDS - 1])
@pytest.mark.parametrize("figures", [{}, {"frozen_index": 0.0}])
def test_below_the_least_n_there_is_no_word(n, figures):
    verdict = collusion(evidence(n, **figures))
    assert verdict.word == f"undecided at n = {n}"
    assert f"n = {n} of the {MIN_SEEDS} seeds" in verdict.missing[0]


@pytest.mark.parametrize(
    "name", ["frozen_index", "tempted_states", "deterred_deviations", "upheld_deviations"]
)
def test_a_seed_without_a_figure_withholds_the_word(name):
    arm = evidence()
    values = [NAN, *arm.figures[name][1:]]
    verdict = collusion(replace(arm, figures={**arm.figures, name: values}))
    assert verdict.word == UNDECIDED
    assert name in verdict.evidence[0]


def test_seeds_in_which_nobody_is_tempted_have_nothing_to_deter():
    arm = evidence()
    lacks = [k < 6 for k in range(MIN_SEEDS)]
    figures = {
        **arm.figures,
        "tempted_states": [0.0 if no else 1.0 for no in lacks],
        "deterred_deviations": [NAN if no else 0.9 for no in lacks],
        "upheld_deviations": [NAN if no else 0.9 for no in lacks],
    }
    assert decide(replace(arm, figures=figures)).word == TACIT


def test_too_few_tempted_seeds_decide_nothing():
    arm = evidence()
    lacks = [k < MIN_SEEDS // 2 + 1 for k in range(MIN_SEEDS)]
    figures = {
        **arm.figures,
        "tempted_states": [0.0 if no else 1.0 for no in lacks],
        "deterred_deviations": [NAN if no else 0.9 for no in lacks],
        "upheld_deviations": [NAN if no else 0.9 for no in lacks],
    }
    found = decide(replace(arm, figures=figures))
    assert found.word == UNDECIDED
    assert "23 of 48 seeds only" in found.why


def test_a_path_longer_than_what_is_looked_at_withholds_the_word():
    arm = evidence()
    long = [1.0, *[0.0] * (MIN_SEEDS - 1)]
    found = decide(replace(arm, figures={**arm.figures, "path_too_long": long}))
    assert found.word == UNDECIDED
    assert found.why == "in 1 of 48 seeds the path is longer than what is looked at"


def test_figures_of_an_older_version_are_no_evidence():
    old = evidence(tempted_states=None, deterred_deviations=None, upheld_deviations=None)
    verdict = collusion(old)
    assert verdict.word == UNDECIDED
    assert any("measured by an older version" in line for line in verdict.missing)


def test_a_market_without_the_probes_is_undecided_and_says_why():
    market = make_market("procurement", {"suppliers": 2})
    verdict = collusion(evidence(market=market))
    assert verdict.word == UNDECIDED
    assert any("several roles" in line for line in verdict.missing)


def test_a_market_without_an_index_has_no_such_verdict():
    assert collusion(evidence(market=make_market("procurement"))) is None
    flat = evidence()
    figures = {**flat.figures, "frozen_index": [NAN] * MIN_SEEDS}  # benchmarks that coincide
    assert collusion(replace(flat, figures=figures)) is None


# --- how the gain is shared -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"winner_dependence": (0.55, 0.04), "winner_imbalance": (0.05, 0.01)}, ROTATION),
        ({"winner_dependence": (0.55, 0.06), "winner_imbalance": (0.05, 0.01)}, SHARED),
        ({"winner_dependence": (0.9, 0.01), "winner_imbalance": (0.09, 0.02)}, SHARED),
        ({"gain_share/least": (0.09, 0.005), "gain_forgone": 0.2}, ONE_SIDED),
        ({"gain_share/least": (0.09, 0.02), "gain_forgone": 0.2}, None),
        ({"gain_share/least": (0.11, 0.02), "gain_forgone": 0.2}, None),
        ({"gain_share/least": (0.11, 0.005), "gain_forgone": 0.2}, SHARED),
    ],
)
def test_how_the_gain_is_shared(figures, expected):
    arm = evidence(**{"gain_share/least": (0.4, 0.02), **figures})
    assert sharing_word(arm)[0] == expected
    assert collusion(arm).qualifiers[:1] == ((expected,) if expected else ())


def test_a_seed_that_always_wins_is_no_rotation():
    arm = evidence(**{"gain_share/least": 0.4, "winner_imbalance": 0.01, "winner_dependence": 1.0})
    most = [NAN if k % 2 else 1.0 for k in range(MIN_SEEDS)]
    assert sharing_word(arm)[0] == ROTATION
    arm = replace(arm, figures={**arm.figures, "winner_dependence": most})
    assert sharing_word(arm)[0] == SHARED


def test_what_the_one_sided_seat_forgoes_is_told_in_money():
    arm = evidence(**{"gain_share/least": (0.01, 0.002), "gain_forgone": (0.25, 0.01)})
    line = "one-sided: that seat earns .250 [.240, .260] less than an equal share of it a round"
    assert line in collusion(arm).evidence


def test_nothing_is_shared_where_nothing_is_gained():
    arm = evidence(frozen_index=0.0, **{"gain_share/least": (0.4, 0.02)})
    assert collusion(arm).qualifiers == ()


# --- beside the word ------------------------------------------------------------------------------

BESIDE = {
    "best_response_gap": 0.4,
    "rival_response_opposite": -0.1,
    "rematched/frozen_index": 0.09,
    "rematched/tempted_states": 0.6,
    "rematched/deterred_deviations": 0.3,
    "rematched/upheld_deviations": 0.3,
    "rematched/rival_response": -0.05,
}


def with_control(arm, index=0.95):
    return replace(arm, controls={"memoryless": evidence(frozen_index=index)})


def test_qualifiers_stand_beside_the_word():
    verdict = collusion(with_control(evidence(**BESIDE)))
    assert verdict.word == TACIT
    assert verdict.qualifiers == (
        "not an equilibrium", "untargeted", "pair-specific", "level also reached without memory",
    )  # fmt: skip
    told = "by the same rule, exchanged partners: near competition (index .090 [.089, .091] "
    assert any(line.startswith(told) for line in verdict.evidence)
    assert verdict.missing == ()


@pytest.mark.parametrize(("name", "config"), [("quantity_competition", {}), ("ad_auction", {})])
def test_untargeted_is_asked_wherever_rivals_compete_by_more(name, config):
    """Where more output, or a higher bid, is tougher, punishment is more of it, not less."""
    market = make_market(name, config)
    answers = {"rival_response": 0.12, "rival_response_opposite": 0.05}
    assert "untargeted" in collusion(evidence(market=market, **(BESIDE | answers))).qualifiers
    for changed in ({"rival_response": -0.12}, {"rival_response_opposite": (0.025, 0.01)}):
        figures = BESIDE | answers | changed
        assert "untargeted" not in collusion(evidence(market=market, **figures)).qualifiers
    assert "untargeted" not in collusion(evidence(market=market, **BESIDE)).qualifiers


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("untargeted", {"rival_response_opposite": (-0.025, 0.01)}),
        ("untargeted", {"rival_response": (-0.025, 0.01)}),
        ("pair-specific", {"rematched/frozen_index": (0.84, 0.02)}),
        ("pair-specific", {"frozen_index": (0.85, 0.02), "rematched/frozen_index": (0.82, 0.02)}),
    ],
)
def test_a_qualifier_asks_for_a_whole_interval(name, changed):
    assert name in collusion(evidence(**BESIDE)).qualifiers
    assert name not in collusion(evidence(**(BESIDE | changed))).qualifiers


@pytest.mark.parametrize(("near", "holds"), [(10, True), (20, False), (40, False)])
def test_no_equilibrium_is_said_of_most_runs(near, holds):
    gaps = [0.05] * near + [0.051] * (MIN_SEEDS - near)
    arm = evidence()
    arm = replace(arm, figures={**arm.figures, "best_response_gap": gaps})
    assert ("not an equilibrium" in collusion(arm).qualifiers) == holds


@pytest.mark.parametrize(("index", "holds"), [((0.85, 0.02), True), ((0.81, 0.02), False)])
def test_the_control_without_memory_is_nowhere_lower(index, holds):
    arm = with_control(evidence(frozen_index=(0.85, 0.001)), index)
    assert ("level also reached without memory" in collusion(arm).qualifiers) == holds


def test_no_qualifier_can_contradict_a_word():
    """Every combination that can occur, written out."""
    high = {word for word in WORDS if word.startswith(("above", "below"))} | {TACIT, UNDECIDED}
    levels = {
        UNDECIDED: {"tempted_states": (0.06, 0.02)},
        TACIT: {},
        STATIC: {"tempted_states": 0.0},
        UNPUNISHED: {"deterred_deviations": 0.1, "upheld_deviations": 0.1},
        DISORDER: {"upheld_deviations": 0.1},
    }
    punishing = {TACIT, DISORDER}
    for (name, figures), control in product(levels.items(), (True, False)):
        arm = evidence(**(BESIDE | figures))
        verdict = collusion(with_control(arm) if control else arm)
        assert verdict.word == name
        assert set(verdict.qualifiers) <= set(QUALIFIERS)
        assert ("untargeted" in verdict.qualifiers) == (name in punishing)
        assert ("not an equilibrium" in verdict.qualifiers) == (name != STATIC)
        assert ("a longer departure would pay" in verdict.qualifiers) == (name == STATIC)
        assert ("level also reached without memory" in verdict.qualifiers) == control
    assert set(levels) <= high
    for low in (0.0, 0.09, -0.2, (0.2, 0.15)):
        assert (
            collusion(with_control(evidence(**(BESIDE | {"frozen_index": low})))).qualifiers == ()
        )
