"""Committed tables of reproductions: they fit their experiments, each other, and the documents."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from support.paths import ROOT

from tacit.emergence.anchored.equilibrium import anchored_equilibrium
from tacit.training.config.arms import Arm
from tacit.training.config.load import load as load_anew
from tacit.training.config.references import KINDS, Reference
from tacit.training.studies.checks import HEAD, YES
from tacit.training.studies.reference_tables import (
    BEGIN,
    collected_page,
    counts_table,
    experiment_file,
    read_cells,
    table_page,
    with_counts,
    with_table,
)
from tacit.training.studies.reproduce import reproducible

REFERENCE, PAGES = ROOT / "results/reference", ROOT / "docs/experiments"
TABLES = sorted(path.parent.name for path in REFERENCE.glob("*/table.csv"))
EACH = pytest.mark.parametrize("name", TABLES)


def page_of(name: str) -> Path:
    """The page of an experiment, in the folder of its market."""
    return next(PAGES.rglob(f"{name}.md"))


load = cache(load_anew)  # some experiments solve their markets for a second


@cache
def references_of(name: str) -> list[Reference]:
    """All references of an experiment; not at import, which every worker does."""
    return experiment_file(name).all_references(load(name).arms)


def closed_form(arm: Arm, measure: str) -> float:
    """A measure of an arm that is computed without learning: of its market, or of its priors."""
    kind, _, figure = measure.rpartition("/")
    market = arm.market
    if kind == "anchored":
        tables = anchored_equilibrium(market, arm.kpi, arm.anchors)
        return market.analysis.policy_figures(tables)[figure]
    if kind == "prior":
        return market.analysis.policy_figures([own.prior for own in arm.anchors])[figure]
    return market.analysis.theory()[measure.removesuffix("_theory").removeprefix("equilibrium/")]


@EACH
def test_a_table_has_the_references_of_its_experiment(name):
    """A reference that changed after the table was made is found here."""
    rows = [dict(zip(HEAD, r, strict=True)) for r in read_cells(REFERENCE / name / "table.csv")]
    assert len(rows) == len(references_of(name))
    for row, reference in zip(rows, references_of(name), strict=True):
        assert row["kind"] == reference.label
        if reference.kind == "word":
            found = (row["quantity"], row["reference"])
            assert found == (f"verdict of {reference.arm}", reference.word)
            continue
        assert row["quantity"] == reference.quantity
        if reference.versus is not None:
            assert row["reference"].split()[0] == reference.expected
            continue
        value, digits = reference.value, 1e-3
        if isinstance(value, str):  # a closed form of the arm's market
            value = closed_form(load(name).arms[reference.arm], value)
        assert float(row["reference"]) == pytest.approx(value, rel=digits)
        assert float(row["tolerance"]) == reference.tolerance


@EACH
def test_what_is_within_its_tolerance_says_so(name):
    """The columns of a number agree with one another."""
    for cells in read_cells(REFERENCE / name / "table.csv"):
        row = dict(zip(HEAD, cells, strict=True))
        if row["tolerance"].replace(".", "").isdigit() and " against " not in row["measured"]:
            distance = abs(float(row["measured"]) - float(row["reference"]))
            within = distance <= float(row["tolerance"])
            miss = "not reproduced" if row["kind"].startswith(KINDS[:2]) else "no"
            assert row["within"] == (YES if within else miss), row


@EACH
def test_a_page_is_its_table_and_a_figure_stands_beside_it(name):
    folder = REFERENCE / name
    text = table_page(name, experiment_file(name), read_cells(folder / "table.csv"))
    assert (folder / "table.md").read_text() == text
    assert (folder / "figure.png").read_bytes()[:4] == b"\x89PNG"


def test_the_one_table_is_collected_from_all():
    text = collected_page(REFERENCE)
    assert (REFERENCE / "table.md").read_text() == text
    lines = [line for line in text.splitlines() if line.startswith("| ") and "`" in line]
    head = next(line for line in text.splitlines() if line.startswith("| experiment"))
    assert head == f"| experiment | {' | '.join(HEAD)} | command |"
    assert len(lines) == sum(len(read_cells(REFERENCE / n / "table.csv")) for n in TABLES)


# --- documents -----------------------------------------------------------------------------------


def cells_of(line: str) -> list[str]:
    """The cells of a line of a table in Markdown."""
    return [part.strip() for part in line.strip().strip("|").split("|")]


@EACH
def test_a_document_shows_the_committed_table(name):
    shown = [cells_of(line) for line in page_of(name).read_text().splitlines()]
    missing = [row for row in read_cells(REFERENCE / name / "table.csv") if row not in shown]
    assert missing == []


@EACH
def test_every_committed_table_has_its_document(name):
    text = page_of(name).read_text()
    assert text.startswith(f"# {name}: ")
    assert f"tacit reproduce {name}" in text
    assert str(page_of(name).relative_to(PAGES)) in (PAGES / "README.md").read_text()
    if experiment_file(name).figure:
        assert f"reference/{name}/figure.png" in text or f"images/{name}.png" in text


@EACH
def test_what_was_chosen_after_a_miss_is_disclosed_in_the_document(name):
    if any(reference.fitted for reference in references_of(name)):
        assert "chosen after" in page_of(name).read_text()


# --- what evidence is what -----------------------------------------------------------------------


def test_a_published_number_has_its_source_and_a_word_its_date():
    for name in reproducible():
        for reference in references_of(name):
            if reference.kind == "literature":
                assert re.search(r"(19|20)\d\d", reference.source), reference
            if reference.kind == "word":
                assert reference.written is not None, reference


def test_the_literature_is_in_the_majority_of_numbers():
    rows = [r for n in reproducible() for r in references_of(n)]
    checked = [r for r in rows if r.kind == "literature" and r.read == "checked"]
    assert len(checked) >= 60


def test_the_counts_add_up_and_stand_in_the_readme():
    rows = [line.strip("| ").split(" | ") for line in counts_table(REFERENCE)[2:]]
    assert sum(int(row[1]) for row in rows) == sum(len(references_of(n)) for n in TABLES)
    assert [row[2].split()[-1] for row in rows if row[0].startswith("literature")] == [
        "reproduced" for row in rows if row[0].startswith("literature")
    ]
    text = (ROOT / "README.md").read_text()
    assert BEGIN in text
    assert with_counts(text, counts_table(REFERENCE)) == text


def test_a_document_s_table_is_replaced_and_nothing_else():
    page = "# a\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n"
    assert with_table(page, [["1"] * len(HEAD)]) == page
    head = "| " + " | ".join(HEAD) + " |\n" + "|" + "---|" * len(HEAD) + "\n"
    old, row = head + "| old |\n", "| " + " | ".join("abcdefgh") + " |\n"
    assert with_table(page + old + "\nend\n", ["abcdefgh"]) == page + head + row + "\nend\n"
