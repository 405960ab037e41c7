"""Files and settings that were made to break a reader: refused in words, printed visibly."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from attack.trial import TABULAR, Child, Outcome, fresh_copy, train

from tacit.envs.errors import ConfigError
from tacit.training.config import files
from tacit.training.storage import checkpoint
from tacit.training.storage.load_run import load_policy
from tacit.training.storage.run_folder import CHECKPOINT

BOMB = "\n".join(
    ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    + [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, 12)]
)
YAMLS = {
    "anchors that stand for a billion values": BOMB,
    "lists nested 20,000 deep": "a: " + "[" * 20_000 + "]" * 20_000,
    "a table nested 5,000 deep": "".join(" " * k + f"k{k}:\n" for k in range(5_000)),
    "a number of 6,000 digits": "seeds: " + "9" * 6_000,
    "an anchor within itself": "a: &a [*a]",
    "a tag that runs a program": "a: !!python/object/apply:os.system [touch /tmp/tacit_attack]",
    "a zero byte": "a: \0",
    "a key that stands twice": "a: 1\na: 2",
    "not UTF-8": "\udcff",
}
SETTINGS = (
    "market.bidders=true", "market.bidders='3'", "market.bidders=3.5", "market.price_mix='.5'",
    "market.price_mix=1_0e-1", "seeds=true", "seeds='3'", "seeds=1_0", "seeds=1:30", "seeds=010",
    "seed=1e400", "seed=100000000000000000000000000", "train.rounds=99999999999999999999",
    "train.copies=100000000", "agents.bidder.discount='.5'", "agents.bidder.discount=true",
    "agents.bidder.learning_rate=.nan", "kpi.bidder.profit=true", "kpi.bidder.profit='1'",
    "kpi.bidder.profit=.inf", "market.reserve=.nan", "market.bids=-1",
)  # fmt: skip
CODES = "\x1b]0;owned\x07\x1b[31m\u202e"


def inputs(folder: Path, count: int) -> list[Outcome]:
    """All of them, whatever `count` says: each is quick."""
    return [
        _yaml(folder), _settings(folder), _tensors(folder / "run"), _csv(folder), _cache(folder)
    ]  # fmt: skip


def _refused(do: Callable[[], object]) -> str | None:
    """None if it is refused in words, without codes for a terminal."""
    try:
        do()
    except ConfigError as error:
        return "codes in the message" if "\x1b" in str(error) else None
    except Exception as error:
        return repr(error)[:200]
    return "it was accepted"


def _yaml(folder: Path) -> Outcome:
    outcome = Outcome("YAML that explodes, nests, loops or runs programs", "refused in words")
    for name, text in YAMLS.items():
        path = folder / "bad.yaml"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        failure = _refused(partial(files.read_yaml, path))
        outcome.count(None if failure is None else f"{name}: {failure}")
    return outcome


def _settings(folder: Path) -> Outcome:
    outcome = Outcome("settings of a wrong type or an absurd size", "refused in words, exit code 2")
    for word in SETTINGS:
        ended = Child(lambda word=word: train(folder / "settings", (*TABULAR, word))).join()
        outcome.count(None if ended.startswith("refused") else f"{word}: {ended}")
    heavy = (*TABULAR, "kpi.bidder.profit=1e308")
    ended = Child(lambda: train(folder / "heavy", heavy)).join()
    found = ended.startswith("refused") and "at most 1e+100" in ended
    outcome.count(None if found else f"weights of 1e308: {ended}")
    return outcome


def _tensors(results: Path) -> Outcome:
    """Checkpoints whose hash is right and whose arrays are not."""
    outcome = Outcome("arrays of a wrong shape, type or value under a right hash", "refused")
    assert Child(lambda: train(results, TABULAR)).join(600) == "done"
    for name, change in ARRAYS.items():
        run = fresh_copy(results, results.with_name("changed")) / "ad_auction"
        path = run / "base" / "s0" / CHECKPOINT
        arrays, record = checkpoint.load(path)
        checkpoint.save(path, change(arrays), record)
        for file in ("ledger.jsonl", "seals.json"):
            (run / file).unlink()
        failure = _refused(partial(load_policy, run, "bidder_0"))
        outcome.count(None if failure is None else f"{name}: {failure}")
    header = fresh_copy(results, results.with_name("changed")) / "ad_auction"
    path = header / "base" / "s0" / CHECKPOINT
    _, record = checkpoint.load(path)
    data = b"\xff" * 64 + path.read_bytes()
    path.write_bytes(data)
    checkpoint.rewrite_record(path, record | {"sha256": hashlib.sha256(data).hexdigest()})
    for file in ("ledger.jsonl", "seals.json"):
        (header / file).unlink()
    outcome.count(_refused(lambda: load_policy(header, "bidder_0")))
    deep = fresh_copy(results, results.with_name("changed")) / "ad_auction"
    (deep / "base" / "s0" / "checkpoint.json").write_text("[" * 100_000 + "]" * 100_000)
    outcome.count(_refused(lambda: load_policy(deep, "bidder_0")))
    return outcome


Arrays = dict[str, np.ndarray]
ARRAYS: dict[str, Callable[[Arrays], Arrays]] = {
    "NaN": lambda a: a | {"q_arrays.q": np.full_like(a["q_arrays.q"], np.nan)},
    "infinity": lambda a: a | {"q_arrays.q": np.full_like(a["q_arrays.q"], np.inf)},
    "too long": lambda a: a | {"q_arrays.q": np.repeat(a["q_arrays.q"], 2, axis=0)},
    "of another type": lambda a: a | {"q_arrays.q": a["q_arrays.q"].astype(np.int8)},
    "missing": lambda a: {name: x for name, x in a.items() if name != "q_arrays.q"},
    "empty": lambda a: {name: x[:0] for name, x in a.items()},
    "none": lambda a: {},
}


def _csv(folder: Path) -> Outcome:
    """Codes in headers and cells of a user's file: printed, never sent to the terminal."""
    outcome = Outcome("codes for the terminal in names, headers and cells", "written out")
    path = folder / "bids.csv"
    rows = [f"t{k // 3},{100 + k % 7},f{k % 5}{CODES}" for k in range(60)]
    path.write_text("\n".join([f"tender,bid,bidder{CODES}", *rows]))
    for words in (
        ["screen", str(path), "--tender", "tender", "--bid", f"bid{CODES}"],
        ["screen", str(path), "--tender", "tender", "--bid", "bid", "--bidder", f"bidder{CODES}"],
        ["screen", str(path), "--tender", f"bidder{CODES}", "--bid", f"bidder{CODES}"],
        ["show", f"no{CODES}"],
        ["train", f"no{CODES}"],
        ["train", "ad_auction", f"market.{CODES}=1"],
        ["train", "ad_auction", "--name", f"a{CODES}"],
        ["train", "ad_auction", "--as", f"a{CODES}"],
    ):
        done = subprocess.run(
            [sys.executable, "-c", "from tacit.training.cli import main; main()", *words],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        shown = done.stdout + done.stderr
        bad = [code for code in ("\x1b", "\x07", "\u202e", "Traceback") if code in shown]
        outcome.count(f"{words[:1]}: {bad}" if bad else None)
    return outcome


def _cache(folder: Path) -> Outcome:
    """A folder of compiled code, which is a pickle, that others could have written to."""
    outcome = Outcome("compiled code that others may write", "refused before it is loaded")
    for k, (mode, inside) in enumerate(
        ((0o777, 0o700), (0o770, 0o700), (0o755, 0o777), (0o755, 0o666), (0o711, 0o777))
    ):
        cache = folder / f"cache_{k}"
        (cache / "__pycache__").mkdir(parents=True)
        (cache / "__pycache__" / "planted.nbi").write_bytes(b"cos\nsystem\n")
        (cache / "__pycache__").chmod(inside if inside != 0o666 else 0o700)
        (cache / "__pycache__" / "planted.nbi").chmod(0o666 if inside == 0o666 else 0o600)
        cache.chmod(mode)
        done = subprocess.run(
            [sys.executable, "-c", "from tacit.training.cli import main; main()",
             "train", "ad_auction", *TABULAR, "--results", str(folder / f"cached_{k}")],
            capture_output=True, text=True, check=False,
            env={**os.environ, "TACIT_CACHE": str(cache)},
        )  # fmt: skip
        good = done.returncode == 2 and "compiled code is kept here" in done.stderr
        outcome.count(
            None if good else f"{mode:o}/{inside:o}: {done.returncode} {done.stderr[-200:]}"
        )
    return outcome
