"""Anchors: what a ledger has lost since one was made."""

from __future__ import annotations

import pytest

from tacit.oversight.anchors import anchor, canonical_json, lost_since

ENTRIES = [{"time": f"t{k}", "act": f"act {k}", "hash": f"h{k}"} for k in range(7)]


def test_nothing_is_lost_while_the_ledger_only_grows():
    for n in range(len(ENTRIES) + 1):
        assert lost_since(anchor(ENTRIES[:n], "", "now"), ENTRIES) == []


def test_dropped_acts_are_named():
    (line,) = lost_since(anchor(ENTRIES, "", "now"), ENTRIES[:2])
    assert line.startswith("5 acts dropped from the end of the ledger: 'act 2' of t2; 'act 3'")
    (line,) = lost_since(anchor(ENTRIES, "", "now"), ENTRIES[:6])
    assert line == "1 act dropped from the end of the ledger: 'act 6' of t6"


def test_a_ledger_that_was_made_anew_is_told_from_where_it_differs():
    forged = [*ENTRIES[:3], *({**e, "hash": f"x{e['hash']}"} for e in ENTRIES[4:])]
    (line,) = lost_since(anchor(ENTRIES, "", "now"), forged)
    assert "made anew from entry 3 on: it was 'act 3' of t3, and is now 'act 4' of t4" in line


@pytest.mark.parametrize(
    "document",
    [{}, {"form": "tacit ledger anchor 1"}, {"form": "tacit ledger anchor 1", "acts": [["a"]]},
     {"form": "tacit ledger anchor 1", "acts": [[1, 2, 3]]}, {"form": "x", "acts": []}],
)  # fmt: skip
def test_what_is_no_anchor(document):
    assert lost_since(document, ENTRIES) == ["is no anchor of a ledger"]


def test_canonical_bytes_are_the_same_for_the_same_data():
    assert canonical_json({"b": 1.0, "a": "é"}) == canonical_json({"a": "é", "b": 1.0})
    assert canonical_json({"b": 1.0, "a": "é"}) == '{"a":"é","b":1.0}'.encode()
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("nan"))
