"""Cells side by side: paired over equal seeds, corrected for their number."""

from __future__ import annotations

import csv

import pytest
from scipy import stats as scipy_stats

from tacit.envs import rng
from tacit.envs.errors import ConfigError
from tacit.training.sweep.axes import Axis
from tacit.training.sweep.cell_table import CellResult, only_arm, parse_filter
from tacit.training.sweep.comparing import compare_cells, holm
from tacit.training.sweep.comparing_text import row_cells, write_table
from tacit.training.sweep.plan import SweepPlan

VALUES = rng.draws(rng.seed_key(5, rng.SWEEP), 32).reshape(4, 8)
VALUES[2] += 2


def result(k, values, arm="base", **settings):
    measures = {"revenue": {"per_seed": list(values)}}
    return CellResult(k, settings, arm, {"market": "ad_auction", "measures": measures})


def table(**options):
    results = [result(k, row, x=k // 2, y=k % 2) for k, row in enumerate(VALUES)]
    return compare_cells(results, "revenue", **options)[1]


def test_differences_are_those_of_equal_seeds():
    rows = table()
    raw = [scipy_stats.ttest_rel(VALUES[k], VALUES[0]).pvalue for k in (1, 2, 3)]
    assert rows[0].difference is None
    assert rows[0].p is None
    assert [row.p for row in rows[1:]] == pytest.approx(holm(raw))
    for k, row in enumerate(rows):
        assert row.estimate.mean == pytest.approx(VALUES[k].mean())
        assert row.cells == [k]
    assert rows[2].difference.mean == pytest.approx((VALUES[2] - VALUES[0]).mean())


def test_the_correction_is_that_of_the_paper():
    # By hand: .01 x 4, .02 x 3, .03 x 2 = .06, .04 x 1 raised to .06.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
    assert holm([float("nan"), 0.02, 0.03]) == [None, pytest.approx(0.04), pytest.approx(0.04)]


def test_false_findings_are_rare():
    """Of 400 tables without any difference, about 5 % show one."""
    # Without a difference a p value is uniform.
    tables = rng.draws(rng.seed_key(1, rng.SWEEP), 4_000).reshape(400, 10).tolist()
    found = sum(any(p < 0.05 for p in holm(table) if p is not None) for table in tables)
    assert 5 < found < 35  # 20 expected, standard deviation 4.4


def test_groups_are_averaged_seed_by_seed():
    rows = table(by="x")
    assert [(row.settings, list(row.cells)) for row in rows] == [
        ({"x": 0}, [0, 1]),
        ({"x": 1}, [2, 3]),
    ]
    per_seed = [VALUES[:2].mean(0), VALUES[2:].mean(0)]
    assert rows[1].difference.mean == pytest.approx((per_seed[1] - per_seed[0]).mean())
    assert rows[1].p == pytest.approx(scipy_stats.ttest_rel(*per_seed).pvalue)


def test_sorting_leaves_the_first_row():
    rows = table(sort=True)
    assert rows[0].cells == [0]
    means = [row.estimate.mean for row in rows[1:]]
    assert means == sorted(means, reverse=True)


def test_cells_without_the_measure_are_left_out():
    results = [result(0, [1.0, None]), result(1, [1.0, 2.0])]
    assert [row.cells for row in compare_cells(results, "revenue")[1]] == [[1]]
    with pytest.raises(ConfigError, match=r"no cell has 'revnue'\. Did you mean 'revenue'"):
        compare_cells(results, "revnue")
    with pytest.raises(ConfigError, match="no cell that is asked for is done"):
        compare_cells([])
    with pytest.raises(ConfigError, match="--by z: is not varied"):
        table(by="z")


def test_the_headline_is_compared_by_default():
    measures = {"clearing_price": {"per_seed": [0.5]}, "revenue": {"per_seed": [0.25]}}
    cell = CellResult(0, {}, "base", {"market": "ad_auction", "measures": measures})
    name, (row,) = compare_cells([cell])
    assert (name, row.estimate.mean) == ("clearing_price", 0.5)


def test_equal_seeds_make_no_test():
    results = [result(0, [1.0, 2.0]), result(1, [1.0, 2.0])]
    row = compare_cells(results, "revenue")[1][1]
    assert row.p is None
    assert row.difference.mean == 0


def test_the_table_as_text_and_csv(tmp_path):
    rows = table()
    cells = row_cells(rows[2], "revenue")
    assert list(cells) == ["cells", "x", "y", "arm", "revenue", "95 %", "n", "difference", "p"]
    assert cells["p"].endswith(" *")
    write_table(tmp_path / "t.csv", "revenue", rows)
    read = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()))
    assert [float(row["revenue"]) for row in read] == [row.estimate.mean for row in rows]
    assert [row["p"] for row in read] == ["", *(repr(row.p) for row in rows[1:])]


def test_filters():
    plan = SweepPlan("e", "h", axes=(Axis("market.x", (1, 2)), Axis("market.y", ("a",))))
    assert parse_filter(["market.x=2", "market.y=a"], plan) == {"market.x": 2, "market.y": "a"}
    with pytest.raises(ConfigError) as error:
        parse_filter(["market.z=2", "market.x"], plan)
    assert len(error.value.mistakes) == 2


def test_one_arm_only():
    assert only_arm([result(0, [1.0]), result(1, [1.0])]) == "base"
    with pytest.raises(ConfigError, match="--arm: choose one of base, other"):
        only_arm([result(0, [1.0]), result(0, [1.0], "other")])
