"""The guardrails study: every cell is there or says why not, and what it does is what it says."""

from __future__ import annotations

import csv
import importlib
import importlib.util
import sys

import numpy as np
import pytest
import yaml
from support.paths import ROOT

from tacit.emergence.stats import Estimate

FOLDER = ROOT / "benchmarks/guardrails"


def load(name):
    """A module of the study, loaded by its path: the root on sys.path would hide packages."""
    if "guardrails" not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            "guardrails", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
        )
        sys.modules["guardrails"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["guardrails"])
    return importlib.import_module(f"guardrails.{name}")


cells, play, report = load("cells"), load("play"), load("report")
EXPECTED = yaml.safe_load((FOLDER / "expected.yaml").read_text(encoding="utf-8"))


def tried(case):
    return [rail for rail in cells.RAILS if not case.cells[rail].why_not]


@pytest.mark.parametrize("case", cells.CASES, ids=lambda case: case.config)
def test_every_guardrail_is_tried_with_an_expectation_or_says_why_not(case):
    assert list(case.cells) == list(cells.RAILS)
    assert list(EXPECTED[case.config]) == [r for r in tried(case) if r != cells.LOGGING]
    for expected in EXPECTED[case.config].values():
        assert {expected["harm"], expected["welfare"]} <= {"better", "same", "worse"}
        assert expected["because"]
    for rail in cells.RAILS:
        own = case.cells[rail]
        assert own.why_not == "" or own.why_not.startswith("-: ")


@pytest.mark.parametrize("case", cells.CASES, ids=lambda case: case.config)
def test_every_cell_is_a_configuration_that_can_be_trained(case):
    for rail in tried(case):
        own = case.cells[rail]
        if not own.repaired:  # lint takes seconds, and has tests of its own
            assert play.arm_of(case, own, 4).market.name


def test_the_cap_leaves_the_lower_prices_as_they_are():
    case = cells.CASES[1]
    grids = [
        play.arm_of(case, case.cells[rail], 1).market.roles[0].choices[0][0].values
        for rail in (cells.LOGGING, cells.VETO)
    ]
    assert np.allclose(grids[0][:8], grids[1], atol=1e-6)
    assert grids[0][8] > case.band[1] > grids[0][7]


def test_a_revision_replaces_the_actions_outside_the_band_and_nothing_else():
    case = cells.CASES[0]
    group = play.arm_of(case, case.cells[cells.LOGGING], 1).group(0)
    group.run(2_000)
    before = group.state()
    q, bids = before["q_arrays.q"].copy(), 19
    q[:bids], q[bids:] = np.arange(bids)[::-1], np.arange(bids)  # .05 is best; .95 is best
    group.load({**before, "q_arrays.q": q, "q_arrays.greedy": np.array([0, 18], np.int32)})
    play.revise(case, group)
    after = group.state()
    assert after["q_arrays.greedy"].tolist() == [13, 18]  # .70, the best one within
    assert after["q_arrays.q"][:bids].tolist() == [0.0] * 13 + [5, 4, 3, 2, 1, 0]
    assert (after["q_arrays.q"][bids:] == np.arange(bids)).all()
    assert [int(table.argmax()) for table in group.tables()] == [13, 18]


def test_the_page_shows_the_committed_table():
    """Bold marks what was not expected; the page leaves out the settings, and cells that say why
    they are none."""
    page = (ROOT / "docs/oversight/guardrails.md").read_text(encoding="utf-8").replace("**", "")
    with (FOLDER / "table.csv").open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    shown = [row[4:-1] for row in rows if not row[5].startswith("-")]
    shown += [row[4:-1] for row in rows if row[5].startswith("-.")]  # a harm below 0
    assert len(shown) == sum(len(tried(case)) for case in cells.CASES)
    for row in shown:
        assert f"| {' | '.join(row)} |" in page
    told = [row for row in rows if row[-2] not in ("", "-")]
    right = [row[-3] == row[-2] for row in told]
    harm = [row[-3].split(";")[0] == row[-2].split(";")[0] for row in told]
    words = f"{sum(right)} of {len(told)} cells came out as expected in both, {sum(harm)} of"
    assert words in page


@pytest.mark.parametrize(
    ("low", "high", "better", "word"),
    [
        (0.1, 0.3, 1, "better"), (0.1, 0.3, -1, "worse"), (-0.3, -0.1, 1, "worse"),
        (-0.3, -0.1, -1, "better"), (-0.1, 0.1, 1, "same"), (0.0, 0.0, -1, "same"),
    ],
)  # fmt: skip
def test_words_of_a_difference(low, high, better, word):
    assert report._word(Estimate((low + high) / 2, low, high, 8), better) == word


def test_the_table_has_a_row_for_every_guardrail(tmp_path):
    case = cells.CASES[2]
    played = {
        rail: ([play.Played(0.3 + 0.01 * k + 0.1 * n, 0.8) for k in range(3)], "")
        for n, rail in enumerate(tried(case))
    }
    rows = report.rows_of(case, played)
    report.write(tmp_path, {case.config: (case, rows)}, 1.0)
    text = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert all(f"| {rail} |" in text for rail in cells.RAILS)
    assert "the harm is a false claim, not a price" in text
    assert rows[3].found == ("worse", "same")
    assert rows[3].expected == ("better", "same")
    assert len((tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()) == 16
    assert (tmp_path / "guardrails.png").stat().st_size > 10_000
