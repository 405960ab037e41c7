"""`tacit compare` and `board`: tables, paired differences, CSV, links."""

from __future__ import annotations

import csv
import re
import socket
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from support.boards import Board
from support.terminal import Terminal, mistake_lines
from support.training_fixtures import InterruptAfter, small

from tacit.emergence import stats
from tacit.emergence.terms import COLUMNS
from tacit.emergence.verdict import DISCLAIMER
from tacit.emergence.words import WORDS_BY_NAME
from tacit.training.board import server as boards
from tacit.training.outcome.summary import read_summary
from tacit.training.runs.runner import Interrupted
from tacit.training.storage.run_folder import RunFolder
from tacit.training.studies.compare import compare


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A run of two arms, and one of a single arm."""
    folder = tmp_path_factory.mktemp("results")
    small(folder, "seeds=3", as_arm="profit")
    small(folder, "seeds=3", "kpi=calm", as_arm="calm")
    small(folder, name="other")
    return folder


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


# --- compare -------------------------------------------------------------------------------------


def test_compare_prints_one_row_an_arm(tacit, results):
    result = tacit("compare", "ad_auction", "--results", str(results))
    assert (result.code, result.err) == (0, "")
    head, profit, calm, blank, settings, *others = result.out.splitlines()
    *_, objective, disclaimer = others
    assert objective == "Unvalidated objective."
    assert disclaimer == DISCLAIMER
    columns = ["arm", "clearing_price", "n", "difference to first", "own-firm loss", "verdict"]
    assert re.split("  +", head.strip()) == columns
    assert re.match(r"profit  \.\d{3} \[\.\d{3}, \.\d{3}\]  3  -  +0  ", profit)
    assert re.match(r"calm    \.\d{3} \[\.\d{3}, \.\d{3}\]  3  -?\.\d{3} \[", calm)
    assert blank == ""
    assert settings.split("  ")[0] == "arm"
    assert "KPI (bidder)" in settings
    assert others[1].startswith("calm    profit 1, price_change -1")


def test_with_wide_every_column_is_in_one_piece(tacit, results):
    result = tacit("compare", "ad_auction", "--wide", "--results", str(results))
    head, profit, calm, *_ = result.out.splitlines()
    columns = ("KPI (bidder)", "clearing_price", "95 %", "n", "difference to first",
               "best / worst seat earns", "winner's share", "own-firm loss")  # fmt: skip
    assert all(column in head for column in columns)
    assert profit.split()[:3] == ["profit", "profit", "1"]
    assert calm.startswith("calm    profit 1, price_change -1")


def test_the_key_has_a_sentence_for_every_column_and_word(tacit, results):
    out = tacit("compare", "ad_auction", "--results", str(results)).out
    key = " ".join(line.strip() for line in out.splitlines())
    assert "clearing_price: mean price per click sold" in key
    assert "(money)" in key
    rows = compare([RunFolder(results / "ad_auction")])
    words = {word for row in rows for word in row.words}
    assert words
    for word in words:
        assert WORDS_BY_NAME[word].means in key
        assert any(WORDS_BY_NAME[word].short in row.brief["verdict"] for row in rows)
    assert COLUMNS["own-firm loss"][1] in key


@pytest.mark.slow
def test_runs_of_one_name_are_told_apart_and_none_is_lost(tacit, tmp_path):
    for folder, keys in (("a", []), ("b", ["kpi.bidder.price_change=-1"])):
        small(tmp_path / folder, "seeds=2", *keys, name="base")
    small(tmp_path / "a", "seeds=2", name="other")
    (tmp_path / "again").symlink_to(tmp_path / "a")
    runs = ["a/base", "b/base", "a/other", "again/base"]
    result = tacit("compare", *(str(tmp_path / run) for run in runs), "--csv", "both.csv")
    assert (result.code, result.err) == (0, "")
    labels = ["a/base/base", "b/base/base", "other/base"]
    assert [line.split()[0] for line in result.out.splitlines()[1:4]] == labels
    with (tacit.folder / "both.csv").open() as file:
        assert [row["arm"] for row in csv.DictReader(file)] == labels
    found = compare([RunFolder(tmp_path / run) for run in runs])
    first, second = (row.numbers["mean"] for row in found[:2])
    assert first != second
    assert found[1].numbers["difference"] == pytest.approx(second - first)


def test_the_largest_harm_is_split(results):
    run = RunFolder(results / "ad_auction")
    row = compare([run])[1]
    measures = read_summary(run.summary)["calm"]["measures"]
    name = row.numbers["harm_in"]
    assert row.numbers["harm"] == measures[f"harm/{name}"]["mean"]
    parts = row.numbers["harm_by_kpi"] + row.numbers["harm_by_learning"]
    assert parts == pytest.approx(row.numbers["harm"])
    others = ("profit", "revenue", "welfare")
    assert row.numbers["harm"] == max(measures[f"harm/{x}"]["mean"] for x in others)
    # Three seeds may not show a harm; where they do, the table has it.
    shown = measures[f"harm/{name}"]["ci95"][0] > 0.0225
    cell = row.cells["harm = by KPI alone + by learning"]
    assert cell.startswith(f"{name} .") if shown else cell == "-"


def test_the_difference_is_paired_by_seed(results):
    run = RunFolder(results / "ad_auction")
    rows = compare([run], "revenue")
    arms = read_summary(run.summary)
    own, first = (arms[name]["measures"]["revenue"]["per_seed"] for name in ("calm", "profit"))
    gap = stats.paired(own, first)
    numbers = rows[1].numbers
    assert (numbers["difference"], numbers["difference_low"]) == (gap.mean, gap.low)
    assert "difference" not in rows[0].numbers


def test_the_csv_has_full_precision(tacit, results):
    words = ["compare", "ad_auction", "other", "--measure", "profit/bidder_1"]
    result = tacit(*words, "--csv", "a.csv", "--results", str(results))
    assert result.out.splitlines()[-1] == "wrote a.csv"
    with (tacit.folder / "a.csv").open(newline="") as file:
        rows = {row["arm"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["ad_auction/profit", "ad_auction/calm", "other/base"]
    entry = read_summary(results / "ad_auction/summary.json")["calm"]["measures"]["profit/bidder_1"]
    calm = rows["ad_auction/calm"]
    assert float(calm["mean"]) == entry["mean"]
    assert [float(calm["low"]), float(calm["high"])] == entry["ci95"]
    assert (calm["measure"], calm["n"]) == ("profit/bidder_1", "3")


@pytest.mark.slow
def test_arms_with_other_seats_and_agents_can_be_compared(tacit):
    arms = {
        "two": [],
        "floor": ["market.publisher=true"],
        "three": ["market.bidders=3", "kpi.bidder_2.win=1"],
        "fixed": ["agents.bidder_0={name: scripted, rule: competitive}"],
    }
    for name, settings in arms.items():
        assert tacit.train("ad_auction", *settings, "--as", name).code == 0
    assert tacit("compare", "ad_auction").code == 0
    rows = compare([RunFolder(tacit.folder / "results/ad_auction")])
    cells = {row.cells["arm"]: row.cells for row in rows}
    assert cells["two"]["KPI (publisher)"] == "-"
    assert cells["floor"]["KPI (publisher)"] == "revenue 1"
    assert cells["three"]["bidders"] == "3"
    assert not any("temperature" in column for column in cells["fixed"])
    board = Board(tacit.folder / "results/ad_auction")
    experiment = board.experiment()
    groups = {group.name: len(group.sessions) for group in board.session_groups(experiment)}
    assert groups == dict.fromkeys(arms, 1)


def test_compare_refuses_with_the_nearest_name(tacit, results):
    where = ("--results", str(results))
    (line,) = mistake_lines(tacit("compare", "ad_auction", "--measure", "revenu", *where))
    assert line == "--measure: unknown 'revenu'. Did you mean 'revenue'?"
    (line,) = mistake_lines(tacit("compare", "ad_acution", *where))
    assert line == f"RUN: there is no run 'ad_acution' in {results}. Did you mean 'ad_auction'?"
    result = tacit("compare", "ad_auction", "--csv", "nowhere/a.csv", *where)
    assert result.code == 2
    assert "--csv: nowhere/a.csv cannot be written: No such file or directory." in result.err


def test_compare_of_a_run_without_results_says_how_to_go_on(tacit, tmp_path, monkeypatch):
    monkeypatch.setenv("TACIT_THREADS", "1")
    with pytest.raises(Interrupted):
        small(tmp_path / "results", listener=InterruptAfter(20))
    (line,) = mistake_lines(tacit("compare", "ad_auction"))
    assert line.endswith(
        "of 2 seeds are finished, the summary is not written yet; tacit resume ad_auction"
    )


def test_results_that_were_removed_are_missed(tacit, tmp_path):
    tacit.train("ad_auction")
    (tmp_path / "results/ad_auction/summary.json").unlink()
    (line,) = mistake_lines(tacit("compare", "ad_auction"))
    assert line == (
        "results/ad_auction/summary.json: is missing. tacit resume ad_auction writes it anew."
    )


# --- board ---------------------------------------------------------------------------------------


def test_the_link_colours_by_arm():
    for one_run, run in ((True, "calm/s3"), (False, "ad_auction/calm/s3")):
        address = urlsplit(boards.link(6007, one_run, tag="band/"))
        assert (address.netloc, address.fragment) == ("127.0.0.1:6007", "timeseries")
        query = parse_qs(address.query)
        kind, _, rule = query["runColorGroup"][0].partition(":")
        assert kind == "regex"
        assert re.search(rule, run).group(1) == "calm"
        assert (query["smoothing"], query["tagFilter"]) == (["0"], ["band/"])


def test_the_first_link_opens_on_means_and_the_next_on_seeds():
    names = ["calm/_band", "calm/s3", "calm/s12", "."]
    shown = []
    for address in list(boards.links(6006, one_run=True).values())[:2]:
        query = parse_qs(urlsplit(address).query)
        tags = ["band/revenue/mean", "band/revenue/lo", "measure/market/revenue", "summary/revenue"]
        shown.append((
            [name for name in names if re.search(query["runFilter"][0], name)],
            [tag for tag in tags if re.search(query["tagFilter"][0], tag)],
        ))  # fmt: skip
    assert shown == [
        (["calm/_band"], ["band/revenue/mean"]),
        (["calm/s3", "calm/s12"], ["measure/market/revenue"]),
    ]


def test_board_prints_its_links_and_serves_the_run(tacit, results, monkeypatch):
    served = []
    monkeypatch.setattr(boards, "serve", lambda command: served.append(command) or 0)
    result = tacit("board", "ad_auction", "--results", str(results))
    assert result.code == 0
    assert result.out.startswith("TensorBoard: http://127.0.0.1:")
    assert all(page in result.out for page in ("HParams", "Custom Scalars", "Text"))
    result = tacit("compare", "ad_auction", "other", "--board", "--results", str(results))
    assert result.code == 0
    folders = [command[command.index("--logdir") + 1] for command in served]
    assert folders == [str(results / "ad_auction"), str(results)]
    assert all(c[c.index("--host") + 1] == "127.0.0.1" for c in served)
    assert "([^/]+)/" in unquote(result.out)


def test_board_without_anything_to_show(tacit):
    (line,) = mistake_lines(tacit("board"))
    assert line == "--results: there is no folder results."


def test_a_taken_port_is_passed_over():
    with socket.socket() as taken:
        taken.bind((boards.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = boards.free_port(port)
        assert port < found < port + 100
    assert boards.free_port(found) == found
