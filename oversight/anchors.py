"""Anchors: what a ledger held at some moment, written down so that it can be signed and kept.

A chain of hashes shows every change but two: acts cut off at its end, and a whole chain that was
made anew. Both are found by whoever knows an earlier head. An anchor is that knowledge as a
document: the time, name and hash of every act so far, the last of which is the head. Signed with a
key, it cannot be made anew by somebody else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

FORM = "tacit ledger anchor 1"

Entry = Mapping[str, Any]  # of the ledger


def canonical_json(data: Any) -> bytes:
    """Data as bytes that are the same for the same data: keys sorted, no blanks, UTF-8.

    Raises:
        ValueError: `data` holds a number that JSON has no word for, such as NaN.
    """
    text = json.dumps(
        data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def anchor(entries: Sequence[Entry], by: str, date: str) -> dict[str, Any]:
    """The anchor of a ledger.

    Args:
        entries: all entries, in order.
        by: who signs it; empty if nobody does.
        date: when, in ISO 8601.
    """
    acts = [[_text(e, "time"), _text(e, "act"), _text(e, "hash")] for e in entries]
    return {"form": FORM, "by": by, "date": date, "head": acts[-1][2] if acts else "", "acts": acts}


def lost_since(document: Mapping[str, Any], entries: Sequence[Entry]) -> list[str]:
    """What of an anchored ledger is no longer there, a line each; empty if all of it is.

    Args:
        document: as `anchor` returned it, read from a file.
        entries: the ledger as it is now.
    """
    acts = document.get("acts")
    if document.get("form") != FORM or not isinstance(acts, list) or not all(map(_is_act, acts)):
        return ["is no anchor of a ledger"]
    present = [_text(entry, "hash") for entry in entries]
    for n, (time, act, digest) in enumerate(acts):
        if n >= len(present):
            count = len(acts) - n
            told = "; ".join(f"'{act}' of {time}" for time, act, _ in acts[n:])
            return [f"{count} act{'s' * (count > 1)} dropped from the end of the ledger: {told}"]
        if present[n] != digest:
            now = f"'{_text(entries[n], 'act')}' of {_text(entries[n], 'time')}"
            return [
                f"the ledger was made anew from entry {n} on: it was '{act}' of {time}, and is "
                f"now {now}"
            ]
    return []


def _is_act(act: object) -> bool:
    return isinstance(act, list) and len(act) == 3 and all(isinstance(part, str) for part in act)


def _text(entry: Entry, key: str) -> str:
    return str(entry.get(key, ""))
