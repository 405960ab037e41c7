"""What `tacit screen` prints, gives as JSON and draws, of a screening made by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tacit.emergence.screens.cover_bids import BidderPair
from tacit.emergence.screens.survey import ScreenReading, Survey
from tacit.emergence.screens.winner_rotation import ShuffledFigure, WinnerRotation
from tacit.emergence.stats import Estimate
from tacit.envs.errors import ConfigError
from tacit.training.board.plot_style import BLUE, RED, new_figure
from tacit.training.screening import figure, report, screening
from tacit.training.screening.bid_file import BidColumns, Bids
from tacit.training.screening.json_report import as_json
from tacit.training.screening.screening import Screening, parse_rhos
from tacit.training.user_files.row_sieve import LeftOut

NAN = float("nan")
READINGS = [
    ScreenReading(
        "D(-0.05)", Estimate(0.75, 0.7, 0.8, 12), Estimate(0.5, 0.4, 0.6, 9), "", "share"
    ),
    ScreenReading(
        "hole", Estimate(0.02, 0.01, 0.03, 12), Estimate(0.5, 0.4, 0.6, 9), "low", "share"
    ),
    ScreenReading("cv", Estimate(NAN, NAN, NAN, 0), Estimate(0.1, NAN, 0.2, 9), "low", "median"),
]
MARGINS = np.array([-0.2, -0.05, -0.01, 0.0, 0.0, 0.03, 0.05, 0.4])
CONTROL = np.concatenate([MARGINS, MARGINS])
SURVEY = Survey(READINGS, 12, 40, 60, 9, False, 2, MARGINS, CONTROL)
PAIRS = [
    BidderPair(2, 0, 20, 20, 0.0123, 0.0001),
    BidderPair(0, 1, 15, 12, 0.2, 0.05),  # as often as a fair coin would
]
BIDS = Bids(
    tender=np.zeros(40, np.int64),
    bid=np.ones(40),
    bidder=np.zeros(40, np.int64),
    bidders=["x", "y", "z"],
    dates=[f"2020-01-{day:02d}" for day in range(1, 13)],
    rows=1_234,
    left_out={"no bid": LeftOut(2, [3, 4])},
    notes=["a note"],
    reading="commas; bid: decimal point",
)
ROTATION = WinnerRotation(
    ShuffledFigure(0.5, 0.25, 0.125, 0.375), ShuffledFigure(0.0, 0.5, 0.4, 0.6), 1_111
)
ROLLING = (np.array([3, 5, 9, 11]), np.array([0.2, 0.05, 0.3, 0.25]))
DONE = Screening(Path("bids.csv"), BIDS, SURVEY, ROTATION, PAIRS, ROLLING)


def without(**parts) -> Screening:
    return replace(DONE, bids=replace(BIDS, **parts))


# --- in words -------------------------------------------------------------------------------------


def test_the_heading_counts_rows_bids_and_tenders():
    assert report.heading(DONE) == [
        "bids.csv: 1,234 rows; 40 bids kept, in 12 tenders with two bids or more",
        "  read: commas; bid: decimal point",
        "  left out: 2 rows: no bid (lines 3, 4)",
        "  a note",
    ]


def test_a_row_a_screen_with_four_digits_where_they_are_needed():
    first, second, third = ([*row.values()] for row in report.rows(DONE))
    of_d = "bids that would still win alone, times 1 + rho"
    assert first == ["D(-0.05)", of_d, ".750", "[.700, .800]", "12", ".500", "[.400, .600]",
                     "above"]  # fmt: skip
    assert second[2:] == [".0200", "[.0100, .0300]", "12", ".500", "[.400, .600]", "below *"]
    assert third[2:] == ["-", "-", "0", ".100", "-", "undecided"]


def test_remarks_say_what_was_dealt_and_what_was_seen_of_bidders_and_dates():
    lines = report.remarks(DONE)
    assert "60 resamples" in lines[1]
    assert lines[2].startswith("Control: 9 draws of independent bids, as each tender's own ")
    assert lines[3] == "2 tenders share their number of bids with no other: deals leave them."
    assert lines[4] == (
        "Rolling cv, median of 50 tenders: lowest .0500 (up to 2020-01-06), highest .300 "
        "(up to 2020-01-10)."
    )
    assert lines[5] == (
        "Rotation, 1,111 steps from winner to winner in order of dates: information (nats) .500, "
        "shuffled .250 [.125, .375]; repeats .000, shuffled .500 [.400, .600]."
    )
    assert lines[6].startswith("Pairs that met 10 times or more: 2; ")
    assert lines[6].endswith("than a fair coin allows in 1 (exact, Bonferroni).")
    assert lines[7] == "  x above z in 20 of 20, median margin .0123, p 0.0001"
    assert lines[8:] == ["", *report.cannot_say(one_scale=False)]
    first, of_control, *rest = report.cannot_say(one_scale=True)
    assert (first, of_control, *rest) == report.CANNOT_SAY
    assert report.cannot_say(one_scale=False) == [first, report.OF_INDEPENDENT_BIDS, *rest]


def test_what_is_not_there_is_not_remarked_on():
    same = replace(DONE, survey=replace(SURVEY, one_scale=True, alone=0))
    assert report.remarks(same)[2] == "Control: 9 deals of the bids as they are."
    assert not any("share their number" in line for line in report.remarks(same))
    assert not any("Rolling" in line for line in report.remarks(without(dates=None)))
    assert any("in order of the file" in line for line in report.remarks(without(dates=None)))
    nobody = report.remarks(without(bidder=None))
    assert not any(line.startswith(("Rotation", "Pairs")) for line in nobody)
    short = replace(DONE, rotation=None, rolling=(np.empty(0, np.int64), np.empty(0)))
    assert "Rotation: needs 10 steps from winner to winner." in report.remarks(short)
    assert "Rolling cv: needs 50 tenders with two bids." in report.remarks(short)


def test_five_pairs_are_named():
    many = replace(DONE, pairs=PAIRS[:1] * 7)
    assert sum(line.startswith("  x above z") for line in report.remarks(many)) == 5


# --- as JSON --------------------------------------------------------------------------------------


def test_json_has_no_nan_and_names_what_is_clear():
    found = as_json(DONE)
    assert (found["D(-0.05)"], found["hole"], found["cv"]) == (0.75, 0.02, None)
    assert found["readings"]["cv"] == {
        "value": None, "ci95": [None, None], "interval": "order statistics, exact", "tenders": 0,
        "control": 0.1, "control95": [None, 0.2], "against": "undecided",
    }  # fmt: skip
    assert found["readings"]["hole"]["ci95"] == [0.01, 0.03]
    assert found["readings"]["hole"]["interval"] == "bootstrap over tenders"
    assert found["rows"] == {
        "read": 1_234, "kept": 40, "left_out": {"no bid": {"rows": 2, "lines": [3, 4]}},
        "notes": ["a note"], "reading": "commas; bid: decimal point",
    }  # fmt: skip
    pair = {"below": "z", "above": "x", "met": 20, "wins": 20, "margin": 0.0123, "p": 0.0001}
    assert (found["pairs"], found["pairs_tested"]) == ([pair], 2)
    assert found["rotation"]["repeats"] == {"value": 0.0, "shuffled": 0.5, "low": 0.4, "high": 0.6}
    assert found["rotation"]["steps"] == 1_111
    assert found["rolling_cv"] == {
        "window": 50, "until": ["2020-01-04", "2020-01-06", "2020-01-10", "2020-01-12"],
        "median": [0.2, 0.05, 0.3, 0.25],
    }  # fmt: skip
    assert (found["tenders"], found["resamples"]) == (12, 60)
    assert found["control"] == {"deals": 9, "one_scale": False}


def test_json_leaves_out_what_no_column_says():
    assert not {"pairs", "pairs_tested", "rotation"} & set(as_json(without(bidder=None)))
    assert "rolling_cv" not in as_json(without(dates=None))
    assert "rotation" not in as_json(replace(DONE, rotation=None))


# --- drawn ----------------------------------------------------------------------------------------


def test_margins_are_counted_beside_a_control_of_their_number():
    """A quarter of the bids lies within 1 %, so +-2 % are shown; two deals of the control."""
    _, (axis,) = new_figure(1)
    figure._margins(axis, DONE)
    own, control = (patch.get_data() for patch in axis.patches)
    assert (len(own.edges), own.edges[0], own.edges[-1]) == (41, -0.02, 0.02)
    assert own.values.sum() == 3  # -.01, 0 and 0
    assert own.values[20] == 2  # a margin of 0 counts to the right of it
    assert own.values[10] == 1  # -.01: the eleventh of the bins of .001
    assert control.values == pytest.approx(own.values)
    far = replace(DONE, survey=replace(SURVEY, margins=np.array([-0.1, 0.3, 0.4, 0.5, 0.6])))
    _, (axis,) = new_figure(1)
    figure._margins(axis, far)
    assert axis.patches[0].get_data().edges[-1] == pytest.approx(0.3)


def test_demand_is_the_share_of_bids_that_would_win_alone_a_tie_counting_half():
    _, (axis,) = new_figure(1)
    figure._demand(axis, DONE)
    own, control = (line for line in axis.lines if line.get_color() in (BLUE, RED))
    rho, share = own.get_data()
    assert (rho[0], rho[-1]) == (-0.1, 0.1)
    at = dict(zip(np.round(rho, 4), share, strict=True))
    assert at[0.0] == pytest.approx((3 + 2 / 2) / 8)
    assert at[-0.1] == pytest.approx(7 / 8)
    assert at[0.1] == pytest.approx(1 / 8)
    assert control.get_data()[1] == pytest.approx(share)
    (bar,) = axis.containers  # of D(-0.05): .75 within .7 and .8
    point, _, (ends,) = bar
    assert point.get_xydata() == pytest.approx(np.array([[-0.05, 0.75]]))
    assert ends.get_segments()[0] == pytest.approx(np.array([[-0.05, 0.7], [-0.05, 0.8]]))


def test_time_runs_along_the_last_tender_of_each_window():
    _, (axis,) = new_figure(1)
    figure._rolling(axis, DONE)
    assert axis.lines[0].get_xydata().tolist() == [[3, 0.2], [5, 0.05], [9, 0.3], [11, 0.25]]
    assert axis.get_xticks().tolist() == [3, 5, 7, 9, 11]
    dates = [label.get_text() for label in axis.get_xticklabels()]
    assert dates == [f"2020-01-{day:02d}" for day in (4, 6, 8, 10, 12)]
    assert axis.get_ylim()[0] == 0


@pytest.mark.slow
def test_a_panel_of_time_is_drawn_where_there_are_windows(tmp_path, monkeypatch):
    panels = []
    plain = figure.new_figure
    monkeypatch.setattr(figure, "new_figure", lambda k: (panels.append(k), plain(k))[1])
    figure.draw(DONE, tmp_path / "new/bids.png")
    assert (tmp_path / "new/bids.png").read_bytes()[:4] == b"\x89PNG"
    short = replace(DONE, rolling=(np.empty(0, np.int64), np.empty(0)))
    figure.draw(short, tmp_path / "short.png")
    assert panels == [3, 2]
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        figure.draw(short, tmp_path / "folder.png")


# --- from a file ----------------------------------------------------------------------------------


def test_a_file_is_screened_for_what_its_columns_say(tmp_path, monkeypatch):
    """Three tenders of two firms; windows of two tenders."""
    monkeypatch.setattr(screening, "WINDOW", 2)
    path = tmp_path / "bids.csv"
    bids = [("a", "x", 1.0, 3), ("a", "y", 1.1, 3), ("b", "x", 1.0, 1), ("b", "y", 1.3, 1),
            ("c", "y", 1.0, 2), ("c", "x", 1.2, 2)]  # fmt: skip
    lines = [f"{lot},{firm},{bid},2020-01-{day:02d}" for lot, firm, bid, day in bids]
    path.write_text("\n".join(["lot,firm,bid,day", *lines]) + "\n")
    plain = screening.screen(path, BidColumns("lot", "bid"), [0.01])
    assert (plain.survey.tenders, plain.survey.bids) == (3, 6)
    assert (plain.rotation, plain.pairs, len(plain.rolling[0])) == (None, [], 0)
    dated = screening.screen(path, BidColumns("lot", "bid", date="day"), [])
    assert dated.rolling[0].tolist() == [1, 2]  # in order of dates: b, c, a
    cv = [0.3 / 1.15, 0.2 / 1.1, 0.1 / 1.05]  # times the root of a half
    means = [(cv[0] + cv[1]) / 2, (cv[1] + cv[2]) / 2]
    assert dated.rolling[1] == pytest.approx(np.array(means) / np.sqrt(2))
    many = "".join(f"{k},x,1,\n{k},y,2,\n" for k in range(11))
    path.write_text("lot,firm,bid,day\n" + many)
    named = screening.screen(path, BidColumns("lot", "bid", bidder="firm"), [])
    assert (named.rotation.steps, named.rotation.repeats.value) == (10, 1.0)
    (pair,) = named.pairs
    assert (pair.met, pair.wins, named.bids.bidders[pair.below]) == (11, 11, "x")


# --- options --------------------------------------------------------------------------------------


def test_changes_of_bids_lie_between_minus_one_and_one_and_come_once():
    assert parse_rhos("-.05, .01,-0.05,0,.999,-.999") == [-0.05, 0.01, 0.0, 0.999, -0.999]
    with pytest.raises(ConfigError) as error:
        parse_rhos("1,0.5,-1, nan ,x")
    got = ["1", "-1", "nan", "x"]
    wanted = [f"--rho: must be numbers between -1 and 1, got '{word}'." for word in got]
    assert error.value.mistakes == wanted
