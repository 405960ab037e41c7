"""Plans: cells as functions of their numbers."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tacit.envs.errors import ConfigError
from tacit.training.config import files
from tacit.training.sweep.axes import Axis, Range
from tacit.training.sweep.plan import MOST_CELLS, SweepPlan, check_size, plan_from

AXES = (Axis("market.bidders", (2, 3)), Axis("kpi.bidder.win", (0, -0.5, 1)))
RANGES = (Range("train.epsilon", 0.0, 1.0), Range("market.slots", 1, 3, "int"))


def plan(**changes):
    return SweepPlan(**{"experiment": "e", "source": "hash", "axes": AXES, **changes})


def test_the_last_axis_varies_fastest():
    p = plan()
    assert p.count == 6
    assert [p.settings(k) for k in (0, 1, 2, 3)] == [
        (("market.bidders", 2), ("kpi.bidder.win", 0)),
        (("market.bidders", 2), ("kpi.bidder.win", -0.5)),
        (("market.bidders", 2), ("kpi.bidder.win", 1)),
        (("market.bidders", 3), ("kpi.bidder.win", 0)),
    ]
    for k in (-1, 6):
        with pytest.raises(IndexError):
            p.settings(k)


def test_every_cell_of_the_grid_has_the_same_draws():
    p = plan(ranges=RANGES, random=5)
    assert p.count == 30
    drawn = [[v for key, v in p.settings(k) if key.startswith(("train", "market.s"))]
             for k in range(30)]  # fmt: skip
    assert drawn[:5] == drawn[5:10] == drawn[25:]
    assert len({x for x, _ in drawn}) == 5
    assert all(0 <= x < 1 and y in (1, 2, 3) for x, y in drawn)
    assert [s[1] for s in (p.settings(4), p.settings(5))] == [
        ("kpi.bidder.win", 0),
        ("kpi.bidder.win", -0.5),
    ]
    others = plan(ranges=RANGES, random=5, seed=1)
    assert others.settings(0) != p.settings(0)


def test_draws_fill_the_range_evenly():
    p = plan(axes=(), ranges=(Range("train.epsilon", 0.0, 1.0),), random=2_000)
    values = [p.settings(k)[0][1] for k in range(2_000)]
    tenths = [sum(int(x * 10) == n for x in values) for n in range(10)]
    assert min(tenths) > 150  # 200 expected, standard deviation 13
    assert max(tenths) < 250


@pytest.mark.slow
def test_draws_are_the_same_in_another_process():
    code = (
        "from tacit.training.sweep.plan import SweepPlan;"
        "from tacit.training.sweep.axes import Range;"
        "p = SweepPlan('e', 'h', ranges=(Range('train.epsilon', 0.0, 1.0),), random=3);"
        "print([p.settings(k)[0][1] for k in range(3)], p.cell_name(2))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    p = SweepPlan("e", "h", ranges=(Range("train.epsilon", 0.0, 1.0),), random=3)
    assert told.stdout.strip() == f"{[p.settings(k)[0][1] for k in range(3)]} {p.cell_name(2)}"


def test_words_are_read_back_as_they_were():
    values = (1e-07, -0.5, 3, True, "a b", [0.1, 0.2], 0.1 + 0.2, "1:30", "010")
    p = plan(axes=(Axis("market.x", values),), fixed=("seeds=2",))
    for k, value in enumerate(values):
        fixed, word = p.words(k)
        assert fixed == "seeds=2"
        key, _, text = word.partition("=")
        assert key == "market.x"
        assert files.parse(text, key) == value
        assert type(files.parse(text, key)) is type(value)


def test_the_folder_is_named_by_all_that_a_result_depends_on():
    p = plan()
    name = p.cell_name(1)
    assert name.startswith("000001-")
    assert name == plan().cell_name(1)
    for other in (
        plan(source="other"),
        plan(arms=("a",)),
        plan(fixed=("seeds=3",)),
        plan(axes=(AXES[0], Axis("kpi.bidder.win", (0, -0.6, 1)))),
    ):
        assert other.cell_name(1) != name
    # Values beside it do not matter: the same cell of a longer axis keeps its folder.
    assert plan(axes=(AXES[0], Axis("kpi.bidder.win", (0, -0.5, 2)))).cell_name(1) == name


def test_added_cells_come_last_and_leave_the_others():
    p = plan()
    cells = [(("market.bidders", 2), ("kpi.bidder.win", 0.25))]
    longer = p.with_added(cells)
    assert (longer.grid, longer.count) == (6, 7)
    assert longer.settings(6) == cells[0]
    assert [longer.cell_name(k) for k in range(6)] == [p.cell_name(k) for k in range(6)]


def test_a_plan_is_read_back():
    p = plan(ranges=RANGES, random=2, seed=3, arms=("a",), fixed=("seeds=2",)).with_added(
        [(("market.bidders", 2), ("kpi.bidder.win", 0.25))]
    )
    again = plan_from(json.loads(json.dumps(p.plain())), "here")
    assert again == p
    assert [again.cell_name(k) for k in range(p.count)] == [p.cell_name(k) for k in range(p.count)]


@pytest.mark.parametrize("key", ["experiment", "grid", "ranges", "random", "added", "fixed"])
def test_a_plan_that_lacks_something_is_refused(key):
    data = plan().plain()
    del data[key]
    with pytest.raises(ConfigError, match="does not describe a sweep"):
        plan_from(data, "here")


def test_a_plan_of_another_version_is_refused():
    with pytest.raises(ConfigError, match="a plan of version 2; this tacit reads 1"):
        plan_from({**plan().plain(), "version": 2}, "here")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"axes": ()}, "what is varied"),
        ({"ranges": RANGES}, "--random N is missing"),
        ({"random": 3}, "--range KEY=LOW:HIGH is missing"),
        (
            {"axes": tuple(Axis(f"market.a{n}", tuple(range(1000))) for n in range(3))},
            "1000 x 1000 x 1000 makes 1,000,000,000 cells; at most 1,000,000",
        ),
    ],
)
def test_sizes_that_are_refused(changes, told):
    with pytest.raises(ConfigError, match=told):
        check_size(plan(**changes))


def test_the_largest_plan_is_taken():
    check_size(plan(axes=(Axis("market.a", tuple(range(MOST_CELLS))),)))
