"""Committed tables of reproductions: they fit their experiments, each other, and the documents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.paths import ROOT

from tacit.training.config.load import load
from tacit.training.config.references import expected_words
from tacit.training.studies.checks import HEAD
from tacit.training.studies.reference_tables import (
    collected_page,
    experiment_file,
    read_cells,
    table_page,
)

REFERENCE, PAGES = ROOT / "results/reference", ROOT / "docs/experiments"
TABLES = sorted(path.parent.name for path in REFERENCE.glob("*/table.csv"))
EACH = pytest.mark.parametrize("name", TABLES)


def page_of(name: str) -> Path:
    """The page of an experiment, in the folder of its market."""
    return next(PAGES.rglob(f"{name}.md"))


@EACH
def test_a_table_has_the_claims_of_its_experiment(name):
    """A claim that changed after the table was made is found here.

    (Tables older than the verdicts end with the claims.)
    """
    file, rows = experiment_file(name), read_cells(REFERENCE / name / "table.csv")
    claims = [*file.published, *file.predicted]
    rows, verdicts = rows[: len(claims)], rows[len(claims) :]
    assert [row[0] for row in rows] == [claim.quantity for claim in claims]
    expected = expected_words(file.expected_verdict, load(name).arms)
    wanted = [(f"verdict of {arm}", word) for arm, word in expected]
    assert [(row[0], row[1]) for row in verdicts] in ([], wanted)
    for row, claim in zip(rows, file.published, strict=False):
        value, digits = claim.value, 1e-5
        if isinstance(value, str):  # a closed form of the arm's market, shown to four digits
            value = (
                load(name).arms[claim.arm].market.analysis.theory()[value.removesuffix("_theory")]
            )
            digits = 1e-3
        assert float(row[1]) == pytest.approx(value, rel=digits)
        assert float(row[5]) == claim.tolerance
    for row, other in zip(rows[len(file.published) :], file.predicted, strict=True):
        assert row[1].split()[0] == other.expected


@EACH
def test_what_is_within_its_tolerance_says_so(name):
    """The columns of a published value agree with one another."""
    for row in read_cells(REFERENCE / name / "table.csv"):
        if row[5].replace(".", "").isdigit() and " against " not in row[2]:
            within = abs(float(row[2]) - float(row[1])) <= float(row[5])
            assert row[6] == ("yes" if within else "no"), row


@EACH
def test_a_page_is_its_table_and_a_figure_stands_beside_it(name):
    folder = REFERENCE / name
    text = table_page(name, experiment_file(name), read_cells(folder / "table.csv"))
    assert (folder / "table.md").read_text() == text
    assert (folder / "figure.png").read_bytes()[:4] == b"\x89PNG"


def test_the_one_table_is_collected_from_all():
    text = collected_page(REFERENCE)
    assert (REFERENCE / "table.md").read_text() == text
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert lines[0] == f"| experiment | {' | '.join(HEAD)} | command |"
    assert len(lines) - 1 == sum(len(read_cells(REFERENCE / n / "table.csv")) for n in TABLES)


# --- documents -----------------------------------------------------------------------------------


def cells_of(line: str) -> list[str]:
    """The cells of a table's line, as the command prints it or as Markdown."""
    parts = line.strip().strip("|").split("|") if "|" in line else re.split(r"  +", line.strip())
    return [part.strip() for part in parts]


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
    assert str(page_of(name).relative_to(ROOT / "docs")) in (ROOT / "docs/README.md").read_text()
    if experiment_file(name).figure:
        assert f"reference/{name}/figure.png" in text or f"images/{name}.png" in text


@EACH
def test_what_was_chosen_after_a_miss_is_disclosed_in_the_document(name):
    if any(
        claim.fitted
        for claim in (*experiment_file(name).published, *experiment_file(name).predicted)
    ):
        text = page_of(name).read_text()
        assert "chosen after" in text
