"""Somebody who may write a run's folder and knows every hash of it, but has no key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors.numpy import load, save

from tacit.oversight import ledger as ledgers
from tacit.training.storage.atomic_files import file_hash, read_json, write_json, write_sealed

Entries = list[dict[str, Any]]


def change_arrays(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Edit the arrays of a safetensors file."""
    arrays = {name: array.copy() for name, array in load(path.read_bytes()).items()}
    change(arrays)
    path.write_bytes(save(arrays))


def rebuild_ledger(path: Path, change: Callable[[Entries], Entries]) -> None:
    """Edit the acts of a ledger and make its chain anew, so that it is whole."""
    lines, previous = [], ledgers.FIRST
    for n, entry in enumerate(change(ledgers.read(path))):
        body = {key: value for key, value in entry.items() if key != "hash"}
        body |= {"n": n, "previous": previous}
        previous = ledgers._seal(body)
        lines.append(json.dumps({**body, "hash": previous}, ensure_ascii=False))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    assert ledgers.first_broken(path) is None


def fit_all_hashes(run: Path) -> None:
    """Make every record, seal and hash of a run fit its files as they are now."""
    seals = read_json(run / "seals.json")
    for arm, digests in seals["seeds"].items():
        for k in range(len(digests)):
            folder = run / arm / f"s{k}"
            record = read_json(folder / "checkpoint.json")
            record["sha256"] = file_hash(folder / "checkpoint.safetensors")
            for key in ("events_sha256", "keyframes_sha256"):
                record[key] = {name: file_hash(folder / name) for name in record[key]}
            write_sealed(folder / "checkpoint.json", record)
            digests[k] = file_hash(folder / "checkpoint.json")
    seals["files"] = {name: file_hash(run / name) for name in seals["files"]}
    write_json(run / "seals.json", seals)

    def fit(entries: Entries) -> Entries:
        sealed = [e for e in entries if e["act"] == "results sealed"]
        sealed[-1]["seals_sha256"] = file_hash(run / "seals.json")
        for entry in entries:
            for key in ("samples", "files"):
                if key in entry:
                    entry[key] = {name: file_hash(run / name) for name in entry[key]}
        return entries

    rebuild_ledger(run / "ledger.jsonl", fit)


def rewrite_document(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Edit a document of `signatures/`; its signature stays."""
    data = json.loads(path.read_bytes())
    change(data)
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    path.write_bytes(text.encode())
