"""A few trials of every attack; `python tests/attack` makes all of them (docs/reliability.md)."""

from __future__ import annotations

import re

import pytest
from attack import disks, flips, folders, inputs, kills, races, stops
from attack.trial import Attack
from support.paths import ROOT

QUICK: list[tuple[Attack, int]] = [(flips.flips, 60)]
SLOW: list[tuple[Attack, int]] = [
    (flips.flips, 600),
    (inputs.inputs, 1),
    (folders.folders, 1_000),
    (races.races, 9),
    (stops.stops, 8),
    (disks.disks, 12),
    (kills.kills, 20),
]


def expect_none(attack: Attack, folder, count) -> None:
    for outcome in attack(folder, count):
        assert outcome.trials
        assert outcome.failures == [], outcome.attack


@pytest.mark.slow
@pytest.mark.parametrize(("attack", "count"), QUICK, ids=lambda x: getattr(x, "__name__", ""))
def test_it_is_told_in_words_and_nothing_is_lost(attack, count, tmp_path):
    expect_none(attack, tmp_path, count)


@pytest.mark.slow
@pytest.mark.parametrize(("attack", "count"), SLOW, ids=lambda x: getattr(x, "__name__", ""))
def test_it_is_told_in_words_and_nothing_is_lost_more_often(attack, count, tmp_path):
    expect_none(attack, tmp_path, count)


def test_the_page_holds_a_row_for_every_attack():
    page = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    table = page.partition("<!-- trials: python tests/attack -->")[2]
    rows = re.findall(r"^\| (.+?) \| .+? \| ([\d,]+) \| (\d+) \|$", table, re.MULTILINE)
    assert len(rows) >= 15
    assert all(int(trials.replace(",", "")) > 0 for _, trials, _ in rows)
    assert [attack for attack, _, otherwise in rows if otherwise != "0"] == []
