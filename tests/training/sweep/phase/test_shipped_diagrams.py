"""The committed phase diagrams: what their pages say is what their tables hold."""

from __future__ import annotations

import csv
import re

import pytest
from support.paths import ROOT

PHASE = ROOT / "results/reference/phase"
MEASURES = {
    "bluff": "bluff_rate",
    "volatility": "collusion_index",
    "learning_rate": "collusion_index",
}
EACH = pytest.mark.parametrize("name", MEASURES)


def page(name):
    return (PHASE / name / "README.md").read_text()


def table(name, ending=""):
    """Rows of numbers of a CSV file; what is empty is None."""
    with (PHASE / name / f"{MEASURES[name]}{ending}.csv").open() as file:
        rows = list(csv.reader(file))[1:]
    return [[float(text) if text else None for text in row] for row in rows]


def test_every_diagram_is_checked():
    assert {path.name for path in PHASE.iterdir()} == set(MEASURES)


@EACH
def test_a_page_has_its_prediction_before_what_was_found(name):
    text = page(name)
    predicted = text.index("## Predicted, before the run (")
    assert text.index("    tacit sweep ") < predicted < text.index("## Found")
    assert (PHASE / name / f"{MEASURES[name]}.png").read_bytes()[:4] == b"\x89PNG"


@EACH
def test_a_page_and_the_makefile_have_one_command(name):
    """Values of a grid, axes and level: written twice, so compared."""
    target = (ROOT / "Makefile").read_text().split(f"\nphase-{name.replace('_', '-')}: ")[1]
    told = re.findall(r"(?:--grid|--x|--y|--measure|--level|--refine|seeds=)\s*(\S+)", page(name))
    made = target.split("\n\n")[0]
    assert told[:5]
    assert [word for word in told if word not in made] == []


def test_the_learned_line_is_as_near_to_the_closed_form_as_the_page_says():
    rows = table("bluff", "_onset")
    apart = [abs(y - closed) for _, y, _, _, closed in rows if None not in (y, closed)]
    mean = sum(apart) / len(apart)
    assert mean < 0.01
    assert f"{mean:.4f} along market.stockout_cost in the mean, {max(apart):.4f} at most" in page(
        "bluff"
    )
    assert f"({len(apart)} places)" in page("bluff")
    within = sum(low <= closed <= high for _, _, low, high, closed in rows)
    assert f"At {within} of {len(apart)} places the closed form lies within" in page("bluff")
    below = sum(y < closed for _, y, _, _, closed in rows)
    assert f"below the closed form at {below} of the {len(apart)} places" in page("bluff")
    assert len(table("bluff")) == 64


@pytest.mark.parametrize("name", ["volatility", "learning_rate"])
def test_the_cells_on_a_page_are_those_of_the_table(name):
    block = page(name).split("## Found")[1].split("```")[1].strip().splitlines()
    shown = [[float(word) for word in line.split()] for line in block[1:]]
    columns = [float(word) for word in block[0].split()[1:]]
    found = {(row[0], row[1]): row[2] for row in table(name)}
    told = {(x, y): value for x, *row in shown for y, value in zip(columns, row, strict=True)}
    assert told.keys() == found.keys()
    assert {at: round(value, 3) for at, value in found.items()} == told
    assert f"{len(found)} cells" in page(name)
