"""`tacit play` with answers from a file: what is shown, kept, refused; and how it ends."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from support.terminal import Terminal, mistake_lines
from support.training_fixtures import files_of, small

from tacit.training.cli import play as command
from tacit.training.runs.runner import train

AUCTION = ("play", "ad_auction", "--seat", "bidder_0")
TENDER = ("play", "overpromise", "--seat", "buyer_0")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """An auction of two seeds, and two arms of a tender."""
    folder = tmp_path_factory.mktemp("all") / "results"
    small(folder)
    settings = ["train.rounds=2000", "train.measure_last=500", "seeds=1"]
    train("overpromise", settings, arms=["booking", "margin"], results=folder)
    return folder


@pytest.fixture
def tacit(results, monkeypatch, capsys):
    shutil.rmtree(results / "play", ignore_errors=True)
    return Terminal(results.parent, monkeypatch, capsys)


@pytest.fixture
def answers(monkeypatch):
    """What is typed, or piped in."""

    def put(text):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    return put


def tables(results):
    return sorted((results / "play").glob("*"))


def rows_in(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# --- a session -----------------------------------------------------------------------------------


def test_a_whole_session(tacit, answers, results):
    before = files_of(results, ["*"])
    answers("?\nbid 0.45\n3\n#19\n")
    result = tacit(*AUCTION, "--rounds", "3")
    assert (result.code, result.err) == (0, "")
    out = result.out
    assert out.startswith("You are bidder_0. Bidders compete for ad slots")
    assert "bidder_0 is paid 1 x its own profit.\n  profit (money): " in out
    assert "#9 bid 0.45" in out
    assert out.count("> ") == 4
    assert "round 3 paid you" in out
    (path,) = tables(results)
    assert re.fullmatch(r"ad_auction-\d{8}T\d{6}Z\.csv", path.name)
    assert f"\nWrote 6 decisions to results/play/{path.name}\n" in out
    rows = rows_in(path)
    mine = [row for row in rows if row["is_person"] == "True"]
    assert [row["action"] for row in mine] == ["bid 0.45", "bid 0.15", "bid 0.95"]
    assert {row["session"] for row in rows} == {path.stem}
    assert "In 3 rounds your KPI paid you " in out
    assert "Your score, the share of it that you earned, is " in out
    after = files_of(results, ["*"])
    assert {n: data for n, data in after.items() if not n.startswith("play/")} == before


def test_a_session_is_played_again_by_its_name(tacit, answers, results):
    texts = []
    for name in ("a", "a", "b"):
        answers("2\n" * 9)
        arguments = ("--arm", "booking", "--rounds", "6", "--session", name)
        result = tacit(*TENDER, *arguments, "-o", f"{name}.csv")
        assert result.code == 0
        texts.append(result.out.partition("Session")[2])
        rows = rows_in(results.parent / f"{name}.csv")
        assert {row["session"] for row in rows} == {name}
    assert texts[0] == texts[1] != texts[2].replace("b.csv", "a.csv")
    assert tables(results) == []


def test_the_tender_shows_the_buyer_no_lead_until_it_is_over(tacit, answers):
    answers("accept supplier_0\n" * 5)
    out = tacit(*TENDER, "--arm", "margin", "--rounds", "5").out
    during, _, after = out.partition("\nWrote ")
    assert " lead " not in during.replace("the lead time that it promises", "")
    assert "its lead was" in after


def test_the_others_learn_in_memory_only(tacit, answers, results):
    before = files_of(results, ["*"])
    answers("5\n" * 30)
    result = tacit(*AUCTION, "--rounds", "30", "--learning", "-o", "out.csv")
    assert result.code == 0
    assert "The others go on learning, in memory only; nothing is saved." in result.out
    assert "A best response is withheld: the others went on learning" in result.out
    assert files_of(results, ["*"]) == before
    assert {row["learning"] for row in rows_in(results.parent / "out.csv")} == {"True"}


def test_parquet_where_it_is_installed(tacit, answers, results):
    parquet = pytest.importorskip("pyarrow.parquet")
    answers("1\n1\n")
    assert tacit(*AUCTION, "--rounds", "2", "-o", "out.parquet").code == 0
    assert parquet.read_table(results.parent / "out.parquet").num_rows == 4


# --- answers -------------------------------------------------------------------------------------


def test_a_bad_answer_costs_nothing(tacit, answers):
    answers("bid 0.46\n\nbanana\n77\nbid 0.5\n" + "\x1b[31mred\n" + "q\n")
    result = tacit(*AUCTION, "--rounds", "9")
    assert result.code == 0
    assert "'bid 0.46' is no action here. Did you mean 'bid 0.45'?" in result.out
    assert "there is no number 77: type 1 to 19." in result.out
    assert "\\x1b[31mred" in result.out
    assert "\x1b" not in result.out
    assert "In 1 round your KPI" in result.out
    assert result.out.count("Round 1 of 9") == 1


@pytest.mark.parametrize("end", ["q\n", "Q", "quit\n", "", "bid 0.5"])
def test_the_end_of_answers_keeps_what_was_played(end, tacit, answers, results):
    answers("bid 0.45\n" + end)
    result = tacit(*AUCTION)
    assert (result.code, result.err) == (0, "")
    (path,) = tables(results)
    rows = rows_in(path)
    assert len(rows) == (4 if end == "bid 0.5" else 2)
    assert {row["finished"] for row in rows} == {"True"}


def test_whoever_decides_nothing_leaves_no_file(tacit, answers, results):
    answers("q\n")
    result = tacit(*AUCTION)
    assert result.code == 0
    assert result.out.endswith("Nothing was decided, so no file was written.\n")
    assert tables(results) == []


class Pressed(io.StringIO):
    """Answers at a person's pace, and Ctrl-C after them."""

    def __init__(self, text, then=lambda: None):
        super().__init__(text)
        self.then = then

    def readline(self, *size):
        time.sleep(0.5)
        line = super().readline(*size)
        if not line:
            self.then()
            raise KeyboardInterrupt
        return line


@pytest.mark.slow
def test_ctrl_c_ends_the_session_and_keeps_it(tacit, results, monkeypatch):
    kept = []
    stdin = Pressed("3\n4\n", lambda: kept.extend(rows_in(tables(results)[0])))
    monkeypatch.setattr(sys, "stdin", stdin)
    result = tacit(*AUCTION)
    assert result.code == 0
    assert "In 2 rounds your KPI paid you" in result.out
    assert len(rows_in(tables(results)[0])) == 4
    assert len(kept) == 4  # after every round, whatever ends the process


@pytest.mark.slow
def test_ctrl_c_of_a_process(results):
    text = "from tacit.training.cli import main; main()"
    words = [sys.executable, "-c", text, *AUCTION, "-o", "process.csv"]
    process = subprocess.Popen(
        words, cwd=results.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    process.stdin.write(b"bid 0.5\n\xff\xfe\n")
    process.stdin.flush()
    lines = []
    while b"no action here" not in (line := process.stdout.readline()):
        assert line, process.stderr.read()
        lines.append(line)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, b"")
    assert b"Wrote 2 decisions to process.csv" in out
    assert len(rows_in(results.parent / "process.csv")) == 2


# --- files ---------------------------------------------------------------------------------------


def test_two_sessions_of_one_second_have_two_files(tmp_path):
    paths = [command._new_file(tmp_path / "play", "run-time") for _ in range(3)]
    assert [path.name for path in paths] == ["run-time.csv", "run-time-2.csv", "run-time-3.csv"]
    assert all(path.is_file() for path in paths)


def test_a_folder_that_cannot_be_made_is_named(tacit, answers, results):
    (results / "play").write_text("in the way")
    answers("1\n")
    try:
        (line,) = mistake_lines(tacit(*AUCTION))
    finally:
        (results / "play").unlink()
    assert line == "results/play: cannot be written: File exists. -o FILE writes elsewhere."
    (results / "play").mkdir()
    (results / "play" / "config.yaml").touch()
    (line,) = mistake_lines(tacit(*AUCTION))
    assert line == "results/play: is a run, to which nothing is added. -o FILE writes elsewhere."
    assert len(tables(results)) == 1


# --- mistakes ------------------------------------------------------------------------------------


def test_all_mistakes_at_once(tacit):
    assert mistake_lines(
        tacit("play", "overpromise", "--arm", "bokking", "--seat", "byer_0", "--seed", "4",
              "--rounds", "0", "-o", "out.txt")
    ) == [
        "--rounds: must be at least 1, got 0.",
        "--arm: unknown arm 'bokking'. Did you mean 'booking'?",
        "--seat: unknown 'byer_0'. Did you mean 'buyer_0'?",
        "--seed: must be 0 to 0, got 4.",
        "-o: must end in .parquet or .csv, got out.txt.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("play", "ad_auctoin", "--seat", "bidder_0"), "Did you mean 'ad_auction'?"),
        (("play", "overpromise", "--seat", "buyer_0"), "--arm: is needed; the run has booking"),
        ((*AUCTION, "--seed", "-1"), "--seed: must be 0 to 1, got -1."),
        ((*AUCTION, "-o", "nowhere/out.csv"), "there is no folder nowhere"),
    ],
)
def test_one_mistake(words, told, tacit):
    (line,) = mistake_lines(tacit(*words))
    assert told in line


def test_a_run_that_is_not_finished(tacit, results, tmp_path):
    copy = tmp_path / "part"
    shutil.copytree(results / "ad_auction", copy)
    for name in ("summary.json", "ledger.jsonl", "seals.json"):
        (copy / name).unlink(missing_ok=True)
    for path in (copy / "base" / "s1").glob("checkpoint*"):
        path.unlink()
    (line,) = mistake_lines(
        tacit("play", str(copy), "--seat", "bidder_0", "--seed", "1", "--results", str(results))
    )
    assert "seed 1 of arm base is not finished; tacit resume part" in line


def test_names_of_a_run_that_steer_a_terminal_are_written_out(tacit, answers, results, tmp_path):
    copy = tmp_path / "a\x1b]0;owned\x07"
    shutil.copytree(results / "ad_auction", copy)
    answers("bid 0.5\nq\n")
    result = tacit("play", str(copy), "--seat", "bidder_0", "--session", "\x9b31m\u202e")
    assert result.code == 0
    assert "\\x1b]0;owned\\x07" in result.out
    assert "\\x9b31m\\u202e" in result.out
    assert not set("\x1b\x07\x9b\u202e") & set(result.out + result.err)
