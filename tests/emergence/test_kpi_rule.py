"""The rule for the KPI: every condition, every bound, what is withheld; the Goodhart gap of a run.

For each condition there is a test that fails when it is dropped, when its inequality is turned, or
when a bound is replaced by the mean.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.training_fixtures import small

from tacit.emergence.evidence import MIN_SEEDS, UNDECIDED, Evidence
from tacit.emergence.objective.verdict import (
    BOTH,
    KPI_MADE,
    LEARNED,
    PATIENT,
    ROUND_BY_ROUND,
    SCRIPTED,
    KpiConditions,
    kpi_or_learning,
)
from tacit.emergence.stats import Estimate
from tacit.envs import kpi as kpis
from tacit.envs.registry import make_market
from tacit.training.config.load import load
from tacit.training.outcome.goodhart import add_goodhart_gaps

MARKET = make_market("ad_auction")
KPI = kpis.resolve(MARKET, None)
REGRETS = ("kpi_regret_round", "kpi_regret_patient", "fundamental_regret_round",
           "fundamental_regret_patient")  # fmt: skip
BELOW, LEVEL = 0.049, 0.05  # a gain below the level is none


def harm(measure, whole, by_kpi, spread=0.0, above=0.0, below=0.0, n=MIN_SEEDS):
    """Figures of a harm: in each seed `whole`, give or take `spread`; the part by the KPI, and how
    far starts of the mirror reach above and below their mean."""
    wholes = [whole + spread * (-1) ** k for k in range(n)]
    return {
        f"harm/{measure}": wholes,
        f"harm_kpi/{measure}": [by_kpi] * n,
        f"harm_learning/{measure}": [x - by_kpi for x in wholes],
        f"mirror/{measure}": [0.7] * n,
        f"mirror_low/{measure}": [0.7 - below] * n,
        f"mirror_high/{measure}": [0.7 + above] * n,
    }


def evidence(kpi=48, patient=48, own=0, own_patient=0, n=MIN_SEEDS, learned=(True, True),
             split=None, market=MARKET, **more):  # fmt: skip
    """An arm in which so many seeds pass each regret, by default all that `KPI-made` asks."""
    passes = zip(REGRETS, (kpi, patient, own, own_patient), strict=True)
    figures = {name: [BELOW] * count + [LEVEL] * (n - count) for name, count in passes}
    figures |= harm("revenue", 0.4, 0.3, n=n) if split is None else split
    figures |= {name: [x] * n for name, x in more.items()}
    return Evidence(market, kpis.resolve(market, None), figures, n, learned=learned)


def word(**more):
    return kpi_or_learning(evidence(**more)).word


# --- 1: KPI-made ----------------------------------------------------------------------------------


def test_all_conditions_together_are_kpi_made():
    assert word() == KPI_MADE


MOST, FEW, HALVES = (0.6, 0.9), (0.1, 0.4), ((0.5, 0.9), (0.1, 0.5))


def ends(interval):
    return None if interval is None else Estimate(sum(interval) / 2, *interval, MIN_SEEDS)


@pytest.mark.parametrize(
    ("one_round", "both", "fundamental", "share", "given"),
    [
        (MOST, MOST, FEW, MOST, KPI_MADE),
        (MOST, MOST, FEW, (0.5, 0.9), KPI_MADE),  # at least half of the harm
        (MOST, MOST, FEW, (0.4999, 0.9), UNDECIDED),
        (MOST, HALVES[0], FEW, MOST, UNDECIDED),  # most seeds are more than half
        (MOST, HALVES[1], FEW, MOST, UNDECIDED),  # few are less than half
        (MOST, (0.1, 0.4999), FEW, MOST, ROUND_BY_ROUND),
        (HALVES[0], FEW, FEW, MOST, UNDECIDED),
        ((0.5001, 0.9), FEW, FEW, MOST, ROUND_BY_ROUND),
        (HALVES[1], FEW, FEW, MOST, UNDECIDED),
        ((0.1, 0.4999), FEW, FEW, MOST, LEARNED),
        (MOST, MOST, HALVES[1], MOST, UNDECIDED),
        (MOST, None, FEW, MOST, UNDECIDED),
        (MOST, MOST, None, MOST, UNDECIDED),
        (MOST, MOST, FEW, None, UNDECIDED),
        (None, MOST, FEW, MOST, UNDECIDED),
        (FEW, None, None, None, LEARNED),
    ],
)
def test_shares_of_seeds_that_end_at_a_half(one_round, both, fundamental, share, given):
    found = KpiConditions(*map(ends, (one_round, both, both, fundamental, share)))
    assert found.word == given


def test_what_keeps_an_arm_from_every_word_is_named():
    def kept(*intervals):
        one_round, both, fundamental, share = map(ends, intervals)
        return KpiConditions(one_round, both, both, fundamental, share).decided.split("; ")

    few_or_most = "neither most seeds nor few"
    assert kept(HALVES[0], HALVES[0], FEW, MOST) == [
        f"best replies to the KPI in one round: {few_or_most}"
    ]
    assert kept(MOST, HALVES[1], HALVES[1], (0.4, 0.9)) == [
        f"patient best replies to the KPI: {few_or_most}",
        "the fundamental may ask for this play too",
        "the KPI alone is not shown to explain half of a harm",
    ]
    assert kept(MOST, None, FEW, MOST) == ["patient best replies are not measured in every seed"]
    assert kept(None, MOST, FEW, MOST) == ["regrets that are missing"]


@pytest.mark.parametrize(
    ("kpi", "given"),
    [(32, KPI_MADE), (31, KPI_MADE), (30, UNDECIDED), (25, UNDECIDED), (18, UNDECIDED),
     (17, LEARNED), (16, LEARNED), (0, LEARNED)],
)  # fmt: skip
def test_how_many_seeds_reply_best_in_one_round(kpi, given):
    """Wilson at 31: .646 [.504, .766]; at 30: .625 [.484, .748]; at 18: .375 [.252, .516]; at 17:
    .354 [.234, .496]."""
    assert word(kpi=kpi) == given


@pytest.mark.parametrize(
    ("patient", "given"),
    [(31, KPI_MADE), (30, UNDECIDED), (25, UNDECIDED), (18, UNDECIDED), (17, ROUND_BY_ROUND),
     (0, ROUND_BY_ROUND)],
)  # fmt: skip
def test_how_many_seeds_reply_best_looking_ahead(patient, given):
    """18: .375 [.252, .516], 17: .354 [.234, .496]."""
    assert word(patient=patient) == given


def test_both_kpi_regrets_are_asked_of_the_same_seeds():
    """40 pass either regret, but only 32 both: then 28, of other seeds."""
    arm = evidence(kpi=40)
    for shift, given in ((8, KPI_MADE), (12, UNDECIDED)):
        later = [LEVEL] * shift + [BELOW] * (48 - shift)
        figures = {**arm.figures, "kpi_regret_patient": later}
        found = kpi_or_learning(replace(arm, figures=figures))
        assert found.word == given
    assert "seeds that do so as a patient agent would, too: .583 [.443, .712], n = 48" in (
        found.evidence
    )


@pytest.mark.parametrize("patient", [48, 0])
@pytest.mark.parametrize("own", ["own", "own_patient"])
def test_how_many_seeds_reply_best_to_the_fundamental_too(own, patient):
    """A firm that keeps up this play for its profit, at once or looking ahead, needs no KPI."""
    made = KPI_MADE if patient else ROUND_BY_ROUND
    assert word(**{own: 17}, patient=patient) == made
    assert word(**{own: 18}, patient=patient) == UNDECIDED  # .375 [.252, .516]
    assert word(**{own: 48}, patient=patient) == UNDECIDED


def test_either_fundamental_regret_counts():
    """12 seeds pass the one, 12 others the other: half of them need no KPI."""
    arm = evidence(own=12)
    later = [LEVEL] * 36 + [BELOW] * 12
    arm = replace(arm, figures={**arm.figures, "fundamental_regret_patient": later})
    assert kpi_or_learning(arm).word == UNDECIDED


@pytest.mark.parametrize("patient", [48, 0])
def test_the_kpi_explains_half_of_the_harm(patient):
    made = KPI_MADE if patient else ROUND_BY_ROUND
    assert word(split=harm("revenue", 0.4, 0.2), patient=patient) == made  # exactly half
    assert word(split=harm("revenue", 0.4, 0.19), patient=patient) == UNDECIDED
    # At the start that loses least: .3 - .09 = .21, .3 - .11 = .19.
    assert word(split=harm("revenue", 0.4, 0.3, above=0.09), patient=patient) == made
    assert word(split=harm("revenue", 0.4, 0.3, above=0.11), patient=patient) == UNDECIDED
    # Starts that lose more are no help, and no harm.
    assert word(split=harm("revenue", 0.4, 0.3, below=0.3), patient=patient) == made
    assert word(split=harm("revenue", 0.4, 0.19, below=0.3), patient=patient) == UNDECIDED


def test_half_is_asked_of_the_upper_end_of_the_harm():
    """.4 give or take .2 in each seed: [.341, .459], so .21 is half of the mean only."""
    assert word(split=harm("revenue", 0.4, 0.21, spread=0.2)) == UNDECIDED
    assert word(split=harm("revenue", 0.4, 0.235, spread=0.2)) == KPI_MADE


@pytest.mark.parametrize(("whole", "given"), [(0.022, UNDECIDED), (0.023, KPI_MADE)])
def test_a_harm_counts_from_the_level_of_gains_on(whole, given):
    """.05 of .45 is .0225."""
    assert word(split=harm("revenue", whole, whole)) == given


def test_a_harm_must_be_shown():
    """.05 give or take .2: the interval holds 0, and half of it is no explanation."""
    assert word(split=harm("revenue", 0.05, 0.3, spread=0.2)) == UNDECIDED
    assert word(split=harm("revenue", -0.4, -0.3)) == UNDECIDED  # a gain
    found = kpi_or_learning(evidence(split=harm("revenue", -0.4, -0.3)))
    assert any("no harm is shown" in line for line in found.evidence)


def test_the_largest_harm_is_the_one_that_must_be_explained():
    explained, unexplained = harm("revenue", 0.3, 0.3), harm("welfare", 0.4, 0.0)
    assert word(split=explained | unexplained) == UNDECIDED
    assert word(split=harm("revenue", 0.3, 0.0) | harm("welfare", 0.4, 0.4)) == KPI_MADE


@pytest.mark.parametrize(("moved", "given"), [(0.05, KPI_MADE), (0.051, UNDECIDED)])
def test_a_mirror_that_has_not_settled_explains_nothing(moved, given):
    verdict = kpi_or_learning(evidence(mirror_moved=moved))
    assert verdict.word == given
    assert any("has settled" in line for line in verdict.missing) == (given == UNDECIDED)


def test_one_unsettled_mirror_is_enough():
    arm = evidence(mirror_moved=0.0)
    arm.figures["mirror_moved"][7] = 0.2
    assert kpi_or_learning(arm).word == UNDECIDED


# --- 2 and 3: round by round, learned -------------------------------------------------------------


def test_round_by_round_asks_for_best_replies_in_one_round():
    """30: .625 [.484, .748]."""
    assert word(kpi=31, patient=0) == ROUND_BY_ROUND
    assert word(kpi=30, patient=0) == UNDECIDED


def test_learned_asks_for_nothing_else():
    more = {"own": 48, "own_patient": 48, "split": harm("revenue", -0.4, -0.3)}
    assert word(kpi=0, **more) == LEARNED
    assert word(kpi=18, **more) == UNDECIDED  # .375 [.252, .516]


def test_what_a_patient_agent_would_keep_up_stands_beside_learned():
    assert kpi_or_learning(evidence(kpi=0, patient=31)).qualifiers == (PATIENT,)
    assert kpi_or_learning(evidence(kpi=0, patient=30)).qualifiers == ()
    assert kpi_or_learning(evidence(kpi=48, patient=48)).qualifiers == ()


@pytest.mark.parametrize(("kpi", "own", "shown"), [(48, 48, True), (31, 31, True), (48, 30, False),
                                                   (30, 48, False)])  # fmt: skip
def test_where_both_ask_for_it_there_is_nothing_to_explain(kpi, own, shown):
    assert kpi_or_learning(evidence(kpi=kpi, own=own)).qualifiers == ((BOTH,) if shown else ())


# --- who is judged, and when ----------------------------------------------------------------------


@pytest.mark.parametrize("figures", [{}, {"kpi": 0}, {"n": 3, "kpi": 3, "patient": 3}])
def test_scripts_are_called_scripts(figures):
    for learned in ((False, False), ()):
        verdict = kpi_or_learning(evidence(**figures, learned=learned))
        assert verdict.word == SCRIPTED
        assert "no seat learns" in verdict.evidence[-1]
    assert kpi_or_learning(evidence(**figures, learned=(False, True))).word != SCRIPTED


def test_the_seats_that_learn_are_named_where_others_do_not():
    lines = kpi_or_learning(evidence(learned=(False, True))).evidence
    assert "regrets are those of the seats that learn: bidder_1" in lines
    assert not any("seats that learn" in line for line in kpi_or_learning(evidence()).evidence)


@pytest.mark.parametrize(("n", "enough"), [(MIN_SEEDS, True), (MIN_SEEDS - 1, False), (2, False)])
def test_few_seeds_are_undecided_and_say_what_they_would_be(n, enough):
    verdict = kpi_or_learning(evidence(kpi=n, patient=n, n=n))
    assert verdict.word == (KPI_MADE if enough else f"undecided at n = {n}")
    assert any("seeds that a word needs" in line for line in verdict.missing) != enough
    if n == MIN_SEEDS - 1:
        assert "by these: KPI-made" in verdict.missing[0]


@pytest.mark.slow
@pytest.mark.parametrize("market", ["ad_auction", "procurement"])
def test_the_level_is_that_of_the_market(market):
    """.05 of profit_M - profit_N, else .02 of the value scale; at the level it is a regret."""
    market = make_market(market, {"suppliers": 2} if market == "procurement" else {})
    level = 0.05 if market.name == "ad_auction" else 0.02
    for gain, share in ((level - 1e-6, 1.0), (level, 0.0)):
        arm = evidence(market=market, **dict.fromkeys(REGRETS, gain))
        lines = kpi_or_learning(arm).evidence
        shown = next(line for line in lines if line.startswith("seeds that reply best to the KPI"))
        assert f"gain below {level:.3f}".replace("0.", ".") in shown
        assert (": 1.000" if share else ": .000") in shown


# --- what is withheld -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", REGRETS[:3])
def test_a_seed_without_a_regret_withholds_the_word(name):
    arm = evidence()
    arm.figures[name][5] = np.nan
    verdict = kpi_or_learning(arm)
    assert verdict.word == UNDECIDED
    assert any("in 1 of 48 seeds" in line for line in verdict.missing)
    assert any(line.endswith("not measured in every seed") for line in verdict.evidence)


def test_without_patient_regrets_play_can_be_learned_but_not_kpi_made():
    for kpi, given in ((48, UNDECIDED), (0, LEARNED)):
        arm = evidence(kpi=kpi)
        figures = {k: x for k, x in arm.figures.items() if not k.endswith("_patient")}
        verdict = kpi_or_learning(replace(arm, figures=figures))
        assert verdict.word == given
        reason = next(line for line in verdict.missing if line.startswith("patient regrets: "))
        assert "more than 65,536 states" in reason


def test_why_there_is_no_patient_regret_is_said_where_it_is_known():
    market = make_market("cloud_bandwidth", {"surge": {}})
    arm = evidence(market=market)
    figures = {k: x for k, x in arm.figures.items() if not k.endswith("_patient")}
    missing = kpi_or_learning(replace(arm, figures=figures)).missing
    assert any(line.startswith("patient regrets: what follows depends on luck") for line in missing)


def test_without_any_regret_the_reason_is_given():
    verdict = kpi_or_learning(Evidence(MARKET, KPI, {}, MIN_SEEDS, learned=(True, True)))
    assert verdict.word == UNDECIDED
    assert "KPI regret: the tables allow too many different rounds to go through" in verdict.missing


def test_a_market_without_a_scale_is_withheld(monkeypatch):
    market = make_market("procurement", {"suppliers": 2})
    monkeypatch.setattr(type(market.analysis), "value_scale", lambda *_: float("nan"))
    nothing = Evidence(market, kpis.resolve(market, None), {}, MIN_SEEDS, learned=(True,) * 3)
    verdict = kpi_or_learning(nothing)
    assert verdict.word == UNDECIDED
    assert "KPI regret: procurement gives no scale for the gains of its suppliers" in (
        verdict.missing
    )


@pytest.mark.parametrize("split", [{}, harm("revenue", 0.4, 0.3)])
def test_without_a_split_in_every_seed_nothing_is_explained(split):
    arm = evidence(split=split)
    if split:
        arm.figures["harm/revenue"][3] = np.nan
    assert kpi_or_learning(arm).word == UNDECIDED


def test_why_there_is_no_split_is_said():
    market = make_market("ad_auction", {"bidders": 5})
    verdict = kpi_or_learning(evidence(split={}, market=market))
    assert any("split of the harm: no mirror" in line for line in verdict.missing)


def test_markets_without_regrets_have_no_such_verdict():
    market = make_market("procurement", {"suppliers": 2, "record": "on_time", "lead_times": [0, 1]})
    assert kpi_or_learning(evidence(market=market)) is None


# --- in words -------------------------------------------------------------------------------------


def test_the_split_comes_first_then_every_condition_then_what_decided():
    split = harm("welfare", 0.1, 0.1) | harm("revenue", 0.4, 0.25, spread=0.02, above=0.1)
    lines = kpi_or_learning(evidence(split=split, regret_exact=1.0, mirror_exact=0.0)).evidence
    assert lines[0] == (
        "harm in revenue .400 [.394, .406], n = 48 = .250 (starts .150 to .250) by best replies to "
        "the KPI alone + .150 [.144, .156] by learning; mirror .700 [.700, .800]"
    )
    assert lines[1].startswith("harm in welfare .100")
    assert lines[2:] == (
        "seeds that reply best to the KPI in one round (gain below .050 of profit_M - profit_N): "
        "1.000 [.926, 1.000], n = 48",
        "seeds that do so as a patient agent would, too: 1.000 [.926, 1.000], n = 48",
        "seeds that reply best to the fundamental, in one round or as a patient agent would: "
        ".000 [.000, .074], n = 48",
        "share of the harm in revenue that the KPI alone explains: .625, .370 at the lower end "
        "over starts and seeds, n = 48",
        "one-round regrets exact; mirror a sample",
        "decided by: the KPI alone is not shown to explain half of a harm",
    )


@pytest.mark.parametrize(
    ("figures", "decided"),
    [
        ({}, "best replies to the KPI, patient too; not to the fundamental; half of the harm"),
        ({"patient": 0}, "best replies to the KPI in one round, and not of a patient agent"),
        ({"kpi": 0}, "no best replies to the KPI in one round"),
        ({"kpi": 25}, "best replies to the KPI in one round: neither most seeds nor few"),
        ({"patient": 25}, "patient best replies to the KPI: neither most seeds nor few"),
        ({"own": 48}, "the fundamental may ask for this play too"),
        ({"split": {}}, "the KPI alone is not shown to explain half of a harm"),
    ],
)
def test_what_decided_is_said(figures, decided):
    assert kpi_or_learning(evidence(**figures)).evidence[-1] == f"decided by: {decided}"


# --- the Goodhart gap -----------------------------------------------------------------------------


@pytest.mark.slow
def test_the_gap_is_against_the_arm_that_is_paid_the_fundamental(tmp_path):
    """Winning pays besides profit: the arm loses profit against its reference, seed by seed."""
    config = {
        "market": {"name": "ad_auction", "bids": 4, "price_mix": 1},
        "agents": {"bidder": {"name": "q_learning", "discount": 0, "epsilon_decay": 0.001}},
        "arms": {
            "greedy": {"kpi.bidder": {"profit": 1, "win": 0.5}},
            "plain": {},
            "other": {"market.bids": 5, "kpi.bidder": {"profit": 1, "win": 0.5}},
            "script": {"agents.bidder": {"name": "scripted", "rule": "competitive"}},
        },
    }
    arms = small(tmp_path, config=config)["arms"]
    own, reference = (arms[a]["measures"]["profit"]["per_seed"] for a in ("greedy", "plain"))
    gap = arms["greedy"]["measures"]["goodhart_gap"]
    assert gap["per_seed"] == pytest.approx(
        [(b - a) / abs(b) for a, b in zip(own, reference, strict=True)]
    )
    assert arms["greedy"]["measures"]["goodhart_gap/welfare"]["mean"] == pytest.approx(0.0)
    assert not any("goodhart_gap" in arms[a]["measures"] for a in ("plain", "other"))
    assert (tmp_path / "ad_auction" / "plain" / "_band" / "mirror_against_learned.png").is_file()
    # Whoever is scripted is called so, whatever its figures.
    words = {a: v["word"] for a in arms for v in arms[a]["verdicts"] if v["behaviour"] == "KPI"}
    assert (words["script"], words["greedy"]) == (SCRIPTED, "undecided at n = 2")


def test_a_run_without_a_reference_has_no_gap():
    arms = load({"market": "ad_auction", "kpi": {"bidder": {"win": 1}}}).arms
    summaries = {"base": {"measures": {}}}
    add_goodhart_gaps(arms, summaries)
    assert summaries == {"base": {"measures": {}}}
