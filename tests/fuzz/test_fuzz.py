"""A few trials of every fuzzer, more of them as slow tests; `python tests/fuzz` makes all."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fuzz import commands, configs, tables, trial
from fuzz.trial import Hung, Outcome, luck_of, time_limit
from support.paths import ROOT

Fuzzer = Callable[[Path, int, int], list[Outcome]]
LATER = 1_000_000  # seeds of the slow tests, which no other run has seen
QUICK: list[tuple[Fuzzer, int]] = [(tables.tables, 12)]
SLOW: list[tuple[Fuzzer, int]] = [
    (configs.configs, 500),
    (commands.commands, 200),
    (tables.tables, 300),
]


def expect_none(fuzzer: Fuzzer, folder: Path, count: int, first: int) -> None:
    found = fuzzer(folder, count, first)
    assert sum(outcome.trials for outcome in found) == count
    for outcome in found:
        assert outcome.failures == [], outcome.name


@pytest.mark.parametrize(("fuzzer", "count"), QUICK, ids=lambda x: getattr(x, "__name__", ""))
def test_nothing_is_lost_in_silence(fuzzer, count, tmp_path):
    expect_none(fuzzer, tmp_path, count, 0)


@pytest.mark.slow
@pytest.mark.parametrize(("fuzzer", "count"), SLOW, ids=lambda x: getattr(x, "__name__", ""))
def test_nothing_is_lost_in_silence_more_often(fuzzer, count, tmp_path):
    expect_none(fuzzer, tmp_path, count, LATER)


def test_a_trial_that_fails_or_hangs_is_counted_with_its_seed(monkeypatch):
    """The fuzzers see what they are for: without this, none of their tests could fail."""
    monkeypatch.setattr(trial, "LIMIT", 1)
    outcome = Outcome("x", "y")
    outcome.count(3, lambda: "refused")
    outcome.count(4, lambda: "failed: rows are lost")
    outcome.count(5, lambda: [][0])
    monkeypatch.setattr(signal, "alarm", lambda seconds: signal.setitimer(0, seconds / 100))
    outcome.count(6, lambda: time.sleep(30))
    assert outcome.trials == 4
    assert outcome.told == "failed 3, refused 1"
    assert outcome.failures == [
        "seed 4: rows are lost", "seed 5: IndexError: list index out of range",
        "seed 6: no end after 1 s",
    ]  # fmt: skip
    with time_limit():
        pass
    assert issubclass(Hung, BaseException)
    assert not issubclass(Hung, Exception)


def test_the_same_seed_is_the_same_trial(tmp_path):
    path = tmp_path / "fuzzed.csv"
    written = []
    for _ in range(2):
        tables.tables(tmp_path, 1, 7)
        written.append(path.read_bytes())
    assert written[0] == written[1]
    tables.tables(tmp_path, 1, 8)
    assert path.read_bytes() != written[0]
    assert luck_of("a", 1).random() != luck_of("b", 1).random()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda bids: bids.bid.__setitem__(0, 7e9), "was never written"),
        (lambda bids: bids.tender.__setitem__(0, bids.tender.max() + 1), "of one tender are in"),
        (lambda bids: bids.left_out.clear(), "rows written"),
    ],
)
def test_a_reader_that_loses_or_changes_rows_is_found(tmp_path, monkeypatch, change, told):
    """Whatever is wrong with what was read is a failure."""
    real = tables.read_bids

    def wrong(*arguments):
        bids = real(*arguments)
        change(bids)
        return bids

    monkeypatch.setattr(tables, "read_bids", wrong)
    bids, _ = tables.tables(tmp_path, 40)
    assert any(told in failure for failure in bids.failures)


def test_the_page_holds_a_row_for_every_fuzzer():
    page = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    text = page.partition("<!-- fuzzed: python tests/fuzz -->")[2]
    text = text.partition("<!-- end of fuzzed -->")[0]
    rows = re.findall(r"^\| (.+?) \| .+? \| ([\d,]+) \| .+? \| (\d+) \|$", text, re.MULTILINE)
    trials = {name: int(count.replace(",", "")) for name, count, _ in rows}
    assert trials["experiment files"] == 5_000
    assert trials["command lines"] == 1_000
    assert trials["CSV files of bids"] + trials["CSV files of series"] == 1_000
    assert [name for name, _, otherwise in rows if otherwise != "0"] == []
