"""Run folders that somebody else made: what their files say must not lead out of the folder.

Every variant is a copy of a finished run, or of an interrupted one, in which one thing was changed.
Beside it lies a folder of bystanders, of which no byte may be read into the run or written.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import yaml
from attack.trial import (
    TABULAR,
    Child,
    Outcome,
    contents,
    fresh_copy,
    interrupt,
    train,
)

from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import train_experiment
from tacit.training.storage import checkpoint
from tacit.training.storage.load_run import load_policy, load_run, read_experiment
from tacit.training.storage.run_folder import RunFolder

Change = Callable[[Path, Path], None]  # the run's folder, the bystanders' folder
NAMES = (
    "../bystanders", "../../bystanders/kept", "/tmp/tacit_attack", "..", ".", "", "a/b", "a\\b",
    "config.yaml", "summary.json", "ledger.jsonl", "events.out.tfevents.1", "CON\x1b]0;x\x07",
    "line\nfeed", "nul\0byte", "\u202egpj.exe", "x" * 300, ".hidden", "_band", "-rf", "seals.json",
    "a b", "curves.out.1", "base/../../bystanders",
)  # fmt: skip
LINKED = (
    "base", "base/s0", "base/_band", "base/s0/checkpoint.json", "base/s0/checkpoint.safetensors",
    "summary.json", "incentives.json", "ledger.jsonl", "seals.json", "config.yaml", ".locks",
)  # fmt: skip


def folders(folder: Path, count: int) -> list[Outcome]:
    """Try the first `count` variants; all of them if there are fewer."""
    finished, cut = folder / "finished", folder / "cut"
    assert Child(lambda: train(finished, TABULAR)).join(300) == "done"
    assert Child(lambda: interrupt(cut)).join(300) == "done"
    outcome = Outcome(
        "run folders whose files name other places, link there, or are no files",
        "read or refused in words; nothing outside is touched",
    )
    for name, (source, change) in list(_variants(finished, cut).items())[:count]:
        outcome.count(_tried(folder / "try", name, source, change))
    return [outcome]


def _tried(place: Path, name: str, source: Path, change: Change) -> str | None:
    """One variant under every command; None if nothing outside was touched."""
    if place.exists():
        shutil.rmtree(place)
    bystanders = place / "bystanders"
    bystanders.mkdir(parents=True)
    (bystanders / "kept").mkdir()
    for inside in ("events.out.tfevents.1.tacit.1", "checkpoint.json", "a.txt", "kept/b.txt"):
        (bystanders / inside).write_text("do not touch\n" * 40)
    run = fresh_copy(source / "ad_auction", place / "results" / "ad_auction")
    change(run, bystanders)
    before = contents(bystanders), {p.name for p in place.iterdir()}
    for command in (_show, _resume, _retrain):
        ended = Child(lambda do=command: do(run)).join()
        if ended != "done" and not ended.startswith("refused"):
            return f"{name}, {command.__name__}: {ended}"
        if (contents(bystanders), {p.name for p in place.iterdir()}) != before:
            return f"{name}, {command.__name__}: something outside was written"
    return None


def _show(run: Path) -> None:
    load_run(run)
    load_policy(run, "bidder_0")


def _resume(run: Path) -> None:
    folder = RunFolder(run)
    train_experiment(read_experiment(folder), folder, NoProgress())


def _retrain(run: Path) -> None:
    train(run.parent, TABULAR)


# --- variants ------------------------------------------------------------------------------------


def _variants(finished: Path, cut: Path) -> dict[str, tuple[Path, Change]]:
    """By name: which run is copied, and what is changed in the copy."""
    every: dict[str, tuple[Path, Change]] = {}
    for name in NAMES:
        every[f"an arm named {name[:20]!r}"] = finished, _arm_named(name)
    for path in LINKED:
        every[f"{path} is a link to a bystander"] = finished, _linked(path)
    for name in ("../../../bystanders/a.txt", "/etc/hostname", "..", "checkpoint.json"):
        every[f"a save that names the event file {name!r}"] = cut, _event_file_named(name)
        every[f"a seal of the file {name!r}"] = finished, _sealed_name(name)
        every[f"an experiment named {name!r}"] = finished, _experiment_named(name)
    for path in ("config.yaml", "summary.json", "base/s0/checkpoint.json", "ledger.jsonl",
                 "base/s0/checkpoint.safetensors", "seals.json", "incentives.json"):  # fmt: skip
        every[f"{path} is a pipe"] = finished, _replaced(path, os.mkfifo)
        every[f"{path} is a folder"] = finished, _replaced(path, os.mkdir)
    every["a summary with an arm named '../bystanders'"] = finished, _summary_named
    every["an arm that starts from '../bystanders'"] = finished, _starts_from
    every["a million seeds"] = finished, _many_seeds
    return every


def _edit_config(run: Path, edit: Callable[[dict], None]) -> None:
    """Change config.yaml, and make it look like a run that was never sealed."""
    path = run / "config.yaml"
    config = yaml.safe_load(path.read_text())
    edit(config)
    path.write_text(yaml.safe_dump(config))
    _unseal(run)


def _unseal(run: Path) -> None:
    for name in ("ledger.jsonl", "seals.json"):
        (run / name).unlink()


def _arm_named(name: str) -> Change:
    def change(run: Path, bystanders: Path) -> None:
        def edit(config: dict) -> None:
            config["arms"][name] = config["arms"].pop("base")

        _edit_config(run, edit)

    return change


def _linked(path: str) -> Change:
    def change(run: Path, bystanders: Path) -> None:
        target = run / path
        is_folder = target.is_dir()
        shutil.rmtree(target) if is_folder else target.unlink()
        target.symlink_to(bystanders / "kept" if is_folder else bystanders / "checkpoint.json")

    return change


def _event_file_named(name: str) -> Change:
    def change(run: Path, bystanders: Path) -> None:
        for path in run.rglob("partial.json"):
            record = json.loads(path.read_text())
            checkpoint.rewrite_record(
                path.with_suffix(".safetensors"), record | {"events": {name: 3}}
            )

    return change


def _sealed_name(name: str) -> Change:
    def change(run: Path, bystanders: Path) -> None:
        from tacit.oversight.ledger import Ledger
        from tacit.training.storage import seals

        folder = RunFolder(run)
        sealer = seals.Sealer(folder, Ledger(folder.ledger), seals.read_seals(folder))
        sealer.open()
        sealer.seals.files[name] = "0" * 64
        sealer.close()

    return change


def _experiment_named(name: str) -> Change:
    def change(run: Path, bystanders: Path) -> None:
        _edit_config(run, lambda config: config.update(experiment=name))

    return change


def _replaced(path: str, make: Callable[[Path], object]) -> Change:
    def change(run: Path, bystanders: Path) -> None:
        (run / path).unlink()
        make(run / path)

    return change


def _summary_named(run: Path, bystanders: Path) -> None:
    summary = json.loads((run / "summary.json").read_text())
    arms = {"base": summary, "../../bystanders": summary}
    (run / "summary.json").write_text(json.dumps({"experiment": "ad_auction", "arms": arms}))
    _unseal(run)


def _starts_from(run: Path, bystanders: Path) -> None:
    shutil.rmtree(run / "base" / "s0")
    _edit_config(
        run, lambda config: config["arms"]["base"]["train"].update(starts_from="../bystanders")
    )


def _many_seeds(run: Path, bystanders: Path) -> None:
    _edit_config(run, lambda config: config["arms"]["base"].update(seeds=10**15))
