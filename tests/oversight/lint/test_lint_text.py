"""A report of lint in words and as data: every sentence, with and without what may be missing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tacit.oversight.lint import report, text

HARM = report.Harm("revenue", "money", (0.95, 0.95), (0.05, 0.9), False, 0.9, 0.947)
REPAIR = report.Repair("bidder", "price_change", -1.0, -0.0277778, 1e-6, False)
LOSERS = (
    report.Loser("tenant_0", "surplus", "money", 0.25, 0.5, False),
    report.Loser("tenant_1", "surplus", "money", 0.125, None, True),
)
FREE = report.FreeAction(
    "tenant_2", "priority", "standard", "critical", "", 0.0, 64, LOSERS, ("exaggeration",)
)
STABLE = report.LintFinding("stable play", "high", "Prices stay.", (HARM,), repair=REPAIR)
FREELY = report.LintFinding("free action", "note", "Asking is free", (), FREE)
TERMS = (
    report.TermCheck("profit", 1.0, True, 0.0, "its fundamental"),
    report.TermCheck("price_change", -1.0, False, 0.123, "no potential"),
    report.TermCheck("win", 2.0, None, None, "drawn"),
    report.TermCheck("fill", 0.0, False, None, "weight 0"),
)
SEES = (
    report.SeenPart("last_price", True, False, True, 1, True),
    report.SeenPart("load", False, False, False, None, True),
    report.SeenPart("offer", False, True, False, 0, False),
)
SEAT = report.SeatReport("bidder", "is paid profit", True, TERMS, SEES)
SCRIPT = report.SeatReport("bidder_2", "is paid nothing", False, (), SEES[1:2])
RANGE = report.StableRange("profiles", "price", "money", (0.05, 0.9), (0.95, 0.95), 7, 1)
PATIENCE = report.Patience("patient best reply", 0.0375, 0.95, 2, 7, (0.05, 0.1))
WHOLE = report.ArmReport(
    "calm", "ad_auction", (SEAT, SCRIPT), (STABLE, FREELY), RANGE, PATIENCE, ("claims: none",)
)


def test_a_whole_report_line_by_line():
    assert text.report_lines(WHOLE) == [
        "calm (ad_auction): 2 findings: 1 high, 1 note",
        "  bidder is paid profit",
        "    term profit: changes no best reply (its fundamental)",
        "    term price_change: can change best replies (no potential: 0.12 of its size is left)",
        "    term win: not examined, drawn",
        "    sees: last_price: rivals and itself, 1 round old, public; "
        "offer: other roles, this round, private; uses rivals' data: yes",
        "  bidder_2 is paid nothing (scripted: it does not follow its KPI)",
        "    sees: no act of anybody; uses rivals' data: no",
        "  high: stable play: Prices stay.",
        "    costs up to 0.9 money of revenue (94.7 %): 0.05 to 0.9 instead of 0.95",
        "    smallest repair: price_change of bidder from -1 to -0.0277778, within 1e-06",
        "  note: free action: Asking is free",
        "    costs tenant_0 0.25 money of surplus (50 %), counted by no KPI that is learned",
        "    costs tenant_1 0.125 money of surplus, counted by its KPI",
        "  stable play: price 0.05 to 0.9 (7) under the KPIs, 0.95 (1) under the fundamentals; "
        "found by profiles",
        "  patience: patient best reply: a plan at discount 0.95 gains up to 0.0375 a round; it "
        "keeps 2 of 7 stable profiles, 0.05 to 0.1",
        "  not examined: claims: none",
    ]


def test_what_is_missing_is_left_out():
    empty = report.ArmReport("plain", "ad_auction", (), (), None, None, ())
    assert text.report_lines(empty) == ["plain (ad_auction): no finding"]
    assert text.known_ways(empty) == ["none found by tacit lint"]
    assert text.summary(replace(WHOLE, findings=(FREELY,))) == "1 finding: 1 note"
    assert text.summary(replace(WHOLE, findings=(FREELY,) * 3)) == "3 findings: 3 note"
    assert text.harm_words(replace(HARM, share=None)).startswith("up to 0.9 money of revenue: ")
    lacking = text.repair_words(replace(REPAIR, missing=True))
    assert lacking.endswith("to -0.0277778 (a term that it lacks), within 1e-06")
    lines = text.report_lines(replace(WHOLE, findings=(replace(STABLE, repair=None),)))
    assert "    smallest repair: none of one weight found" in lines
    assert text.patience_words(replace(PATIENCE, range=None)).endswith("2 of 7 stable profiles")
    assert text.patience_words(replace(PATIENCE, of=0)) == (
        "patient best reply: no KPI looks back, so a plan gains nothing if others repeat"
    )


def test_a_card_keeps_a_text_for_each_finding():
    assert text.known_ways(WHOLE) == [
        "high: stable play: Prices stay; costs up to 0.9 money of revenue (94.7 %): 0.05 to 0.9 "
        "instead of 0.95; smallest repair: price_change of bidder from -1 to -0.0277778, within "
        "1e-06",
        "note: free action: Asking is free; costs tenant_0 0.25 money of surplus (50 %), counted "
        "by no KPI that is learned; costs tenant_1 0.125 money of surplus, counted by its KPI",
        "not examined: claims: none",
    ]


def test_as_data_it_also_holds_what_follows_from_it():
    plain = json.loads(json.dumps(WHOLE.plain()))
    assert plain["severity"] == "high"
    assert [seat["uses_rivals_data"] for seat in plain["seats"]] == [True, False]
    assert plain["findings"][1]["free"]["losers"][1]["loss"] == 0.125
    assert plain["stable"]["kpi_count"] == 7


@pytest.mark.parametrize(
    ("severities", "gravest"),
    [((), None), (("note",), "note"), (("note", "medium"), "medium"), (("medium", "high"), "high")],
)
def test_the_gravest_severity_is_that_of_the_arm(severities, gravest):
    findings = tuple(replace(FREELY, severity=severity) for severity in severities)
    assert replace(WHOLE, findings=findings).severity == gravest
