"""`tacit train` and `resume`: what they print, their exit codes, Ctrl-C."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time

import pytest
import yaml
from support.terminal import SMALL, Terminal, mistake_lines
from support.training_fixtures import files_of, write

from tacit.emergence.verdict import DISCLAIMER
from tacit.training.cli import printing
from tacit.training.storage.run_folder import RunFolder


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


# --- train ---------------------------------------------------------------------------------------


def test_json_is_all_that_is_on_stdout(tacit):
    result = tacit.train("ad_auction", "--json")
    assert (result.code, result.err) == (0, "")
    assert result.out.count("\n") == 1
    written = (tacit.folder / "results/ad_auction/summary.json").read_text()
    assert json.loads(result.out) == json.loads(written)
    again = tacit.train("ad_auction", "--json")
    assert json.loads(again.out)["measures"] == json.loads(result.out)["measures"]


def test_show_prints_the_config_and_trains_nothing(tacit):
    settings = ["kpi.bidder.price_change=-3", "market.bidders=3"]
    result = tacit("train", "volatility_kpi", *settings, "--show")
    assert result.code == 0
    notes = [line for line in result.out.splitlines() if line.startswith("#")]
    assert len(notes) == 3 + 4  # the estimate of each arm, and of all
    assert "which runs once for all" in notes[0]
    arms = yaml.safe_load(result.out)["arms"]
    assert list(arms) == ["second_0", "first_0", "seen_0"]
    assert arms["first_0"]["market"]["price_mix"] == 1.0
    assert list(tacit.folder.iterdir()) == []


def test_train_prints_a_row_and_where_to_look_next(tacit):
    result = tacit.train("ad_auction")
    assert result.code == 0
    lines = result.out.splitlines()
    question, blank = lines[0], lines.index("")
    assert [line[:3] for line in lines[1:blank] if line[0] != " "] == [
        f"{k}. " for k in range(1, 6)
    ]
    (head, row), (objective, disclaimer, words, link) = lines[blank + 1 : blank + 3], lines[-4:]
    assert objective == "Unvalidated objective."
    assert disclaimer == DISCLAIMER
    assert words == "words:  tacit compare ad_auction"
    assert question.strip() == "What do two learning bidders pay in a second-price auction?"
    assert head.split()[:2] == ["arm", "clearing_price"]
    assert row.split()[0] == "base"
    assert link == "next:   tacit board ad_auction"


def test_another_folder_stands_in_the_advice(tacit):
    assert (
        "next:   tacit board mine --results out"
        in tacit.train("ad_auction", "--name", "mine", "--results", "out").out.splitlines()
    )
    assert (tacit.folder / "out/mine/summary.json").is_file()


@pytest.mark.slow
def test_an_experiment_draws_its_figure_and_explains_what_it_is_as_shipped(tacit, capsys):
    shown = [f"{group}_{k}" for group in ("second", "first", "seen") for k in (0, 2)]
    chosen = [word for arm in shown for word in ("--arm", arm)]
    result = tacit.train("volatility_kpi", *chosen)
    assert result.code == 0
    figure = "results/volatility_kpi/volatility_kpi.png"
    assert f"figure: {figure}" in result.out
    assert (tacit.folder / figure).read_bytes()[:4] == b"\x89PNG"
    about = "one bidder sits still and earns nothing"
    assert about not in result.out  # (the tests' own settings: it may not hold under them)
    printing.print_next(RunFolder(tacit.folder / "results/volatility_kpi"), as_shipped=True)
    assert about in capsys.readouterr().out
    assert all(f"\n{arm} " in result.out for arm in shown)
    assert not any(word in result.out.lower() for word in ("cartel", "collusi", "collud"))


@pytest.mark.slow
def test_arms_that_became_equal_are_noted(tacit):
    result = tacit.train("volatility_kpi", "kpi.bidder.price_change=-3", "market.bidders=3")
    assert result.err.count("which runs once for all") == 3
    rows = [re.match(r"(\w+_0)  ", line) for line in result.out.splitlines()]
    arms = dict.fromkeys(row[1] for row in rows if row)
    assert list(arms) == ["second_0", "first_0", "seen_0"]


@pytest.mark.slow
def test_as_adds_an_arm_and_arm_selects(tacit):
    tacit.train("ad_auction", "--as", "profit")
    result = tacit.train("ad_auction", "--as", "calm", "kpi.bidder.price_change=-1", "--json")
    assert list(json.loads(result.out)["arms"]) == ["profit", "calm"]
    result = tacit.train("volatility_kpi", "--arm", "first_2", "--arm", "second_0", "--json")
    assert list(json.loads(result.out)["arms"]) == ["second_0", "first_2"]


def test_brackets_and_colons_are_printed_as_they_are(tacit):
    question = "Is [bold]bold[/bold] :smile:?"
    path = write(tacit.folder / "x.yaml", f"market: ad_auction\nquestion: '{question}'")
    assert question in tacit.train(path).out


# --- mistakes ------------------------------------------------------------------------------------


def test_all_mistakes_are_reported_and_nothing_is_written(tacit):
    lines = mistake_lines(
        tacit("train", "ad_auction", "kpi.bidder.profti=1", "market.bidders=1", "seeds=0")
    )
    assert lines == [
        "market.bidders: must be greater than or equal to 2, got 1.",
        "seeds: must be greater than or equal to 1, got 0.",
        "kpi.bidder.profti: unknown measure of ad_auction. Did you mean 'profit'?",
    ]
    assert list(tacit.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["volatility_kip"], "Did you mean 'volatility_kpi'?"),
        (["ad_auction", "--arm", "bas"], "--arm: unknown arm 'bas'. Did you mean 'base'?"),
        (["volatility_kpi", "--as", "mine"], "this config has several."),
        (["ad_auction", "--as", "a/b"], "'a/b' cannot name an arm"),
        (["ad_auction", "--name", ""], "--name: must name a folder within results, got ''"),
        (["ad_auction", "--results", "/dev/null"], "/dev/null/ad_auction cannot be written"),
    ],
)
def test_mistakes_of_train(words, line, tacit):
    (found,) = mistake_lines(tacit("train", *words, *SMALL))
    assert line in found


def test_another_config_in_the_folder_is_refused(tacit):
    tacit.train("ad_auction")
    before = files_of(tacit.folder, ["*"])
    (line,) = mistake_lines(tacit.train("ad_auction", "kpi=calm"))
    assert line.endswith(
        "Add this one with --as NAME, or start a run with --name or in another --results."
    )
    assert files_of(tacit.folder, ["*"]) == before


# --- Ctrl-C and resume ---------------------------------------------------------------------------


def test_resume_finishes_a_run(tacit):
    first = json.loads(tacit.train("ad_auction", "--json").out)
    (tacit.folder / "results/ad_auction/base/s1/checkpoint.json").unlink()
    result = tacit("resume", "ad_auction", "--json")
    assert json.loads(result.out)["measures"] == first["measures"]
    (line,) = mistake_lines(tacit("resume", "ad_auctoin"))
    assert line == "RUN: there is no run 'ad_auctoin' in results. Did you mean 'ad_auction'?"


# A shell starts background jobs with SIGINT ignored, and children inherit that: set it back.
INTERRUPTIBLE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from tacit.training.cli import main
main()
"""


LONG = ("train", "ad_auction", "seeds=64", "train.rounds=4000000", "--results", "out")


def begins(ledger):
    """Wait until a run has begun to train."""
    until = time.monotonic() + 240
    started = '"act": "training started"'
    while not (ledger.exists() and started in ledger.read_text()) and time.monotonic() < until:
        time.sleep(0.01)


# The signal may come while a library reads /proc/self/maps, which it then leaves to be collected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_says_how_to_go_on(tacit):
    ledger = tacit.folder / "out/ad_auction/ledger.jsonl"

    def stop():
        begins(ledger)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=stop, daemon=True).start()
    try:
        result = tacit(*LONG)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (result.code, result.out) == (130, "")
    assert "stopped; everything is kept. Go on: tacit resume ad_auction --results out" in result.err
    assert '"act": "training interrupted"' in ledger.read_text()


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, *LONG],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    ledger = tmp_path / "out/ad_auction/ledger.jsonl"
    begins(ledger)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 130
    assert out == ""
    assert "stopped; everything is kept. Go on: tacit resume ad_auction --results out" in err
    assert "Traceback" not in err
    assert '"act": "training interrupted"' in ledger.read_text()


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["show", "x", "--arm", "a", "--arm=b", "--seed", "1", "--seed", "2"], ["arm", "seed"]),
        (["audit", "verify", "x", "--results", "a", "--results", "b"], ["results"]),
        (["calibrate", "cloud_bandwidth", "x.csv", "--interval", "1", "--interval=2"],
         ["interval"]),
        (["ctl", "x", "pause", "--reason", "a", "--reason", "b"], ["reason"]),
    ],
)  # fmt: skip
def test_an_option_with_one_value_is_given_once(tacit, words, names):
    """Else the first value would be dropped without a word."""
    lines = mistake_lines(tacit(*words))
    assert lines == [f"--{name}: is given twice; it takes one value." for name in names]


def test_everything_that_is_missing_is_told_at_once(tacit):
    assert mistake_lines(tacit("phase", "--y", "market.prices", "--y", "seeds")) == [
        "--y: is given twice; it takes one value.",
        "SWEEP: is missing (path or name of a sweep).",
        "--x: is missing (the key along x).",
    ]
    assert mistake_lines(tacit("show")) == ["RUN: is missing."]
    assert tacit("phase", "--help").code == 0


def test_a_setting_that_is_written_as_an_option_is_refused_with_the_right_form(tacit):
    lines = mistake_lines(tacit("train", "ad_auction", "--seeds", "8", "--kpi.bidder.win=2"))
    keys = ["seeds", "kpi.bidder.win"]
    assert lines == [f"--{k}: is a setting, not an option: write {k}=VALUE." for k in keys]
    other = tacit("train", "ad_auction", "--sceeds", "8")
    assert other.code == 2
    assert "No such option" in other.err


def test_an_option_with_several_values_may_be_repeated(tacit):
    arms = ["--arm", "first_0", "--arm", "first_1"]
    assert tacit("train", "volatility_kpi", *arms, "--show").code == 0
