"""`tacit audit seal`: the sealed sample of a run, and an anchor of its ledger, signed if wanted.

In this order: the last rounds of every repetition are played again and written; the act `run
sealed` records their SHA-256; `signatures/ledger-<n>.json` anchors the ledger up to this very act.
An act that is dropped, or a ledger that is made anew, no longer fits the anchor; and a signed
anchor can be made anew only with the key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from threadpoolctl import threadpool_limits

from tacit.envs.errors import ConfigError
from tacit.oversight import ledger as ledgers
from tacit.oversight.anchors import anchor, canonical_json
from tacit.oversight.ledger import Ledger
from tacit.oversight.objective import is_name
from tacit.oversight.signatures import LEDGER, sign
from tacit.training.config.arms import Arm
from tacit.training.storage import checkpoint
from tacit.training.storage.atomic_files import file_hash, write_atomically
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.machine import workers
from tacit.training.storage.run_folder import RunFolder
from tacit.training.storage.run_lock import writing
from tacit.training.storage.seals import check_sealed
from tacit.training.storage.signature_files import ENDING

from .replay import SeedReplay, load_learners
from .samples import last_rounds, write_sample

RUN_SEALED = "run sealed"  # an act
Told = Callable[[str], None]


class Sealed(NamedTuple):
    """What `seal_run` has made.

    Attributes:
        anchor: the anchor's file.
        head: the ledger's last hash, which whoever keeps it can compare later.
        samples: how many repetitions have a sample.
        rounds: how many rounds these hold together.
    """

    anchor: Path
    head: str
    samples: int
    rounds: int


def seal_run(run: RunFolder, key: Path | None, by: str, told: Told) -> Sealed:
    """Write the sealed sample of every repetition, and anchor the ledger.

    Args:
        run: a finished run.
        key: the key that signs the anchor; None: it is not signed.
        by: who signs; empty: whoever the key belongs to.
        told: receives the name of each repetition as it is done.

    Raises:
        ConfigError: repetitions are missing, the run was altered or is being written, or the key
            cannot sign.
    """
    if by and not is_name(by):
        raise ConfigError(f"--by: must be a name on one line, got {by!r}.")
    if key is not None:
        sign(b"", key, LEDGER)  # a key that cannot sign is told before an hour of playing
    with writing(run):
        arms = read_experiment(run).arms
        check_sealed(run, {name: arm.seeds for name, arm in arms.items()})
        _check_finished(run, arms)
        rounds = _write_samples(run, arms, told)
        ledger = Ledger(run.ledger)
        number = ledger.count
        hashes = {path.relative_to(run.path).as_posix(): file_hash(path) for path in sorted(rounds)}
        ledger.append(RUN_SEALED, by=by, signed=key is not None, samples=hashes)
        date = datetime.now(UTC).isoformat(timespec="seconds")
        text = canonical_json(anchor(ledgers.read(run.ledger), by, date))
        path = run.inside("signatures", f"ledger-{number}.json")
        write_atomically(path, text)
        if key is not None:
            write_atomically(path.with_name(path.name + ENDING), sign(text, key, LEDGER))
        return Sealed(path, ledger.head, len(rounds), sum(rounds.values()))


def _check_finished(run: RunFolder, arms: Mapping[str, Arm]) -> None:
    """Check that every repetition is finished.

    Raises:
        ConfigError: some are not.
    """
    missing = [
        f"{name}/s{k}"
        for name, arm in arms.items()
        for k in range(arm.seeds)
        if checkpoint.read_record(run.checkpoint(name, k)) is None
    ]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise ConfigError(
            f"{run.path}: {', '.join(missing[:3])}{more} is not finished; {run.resume}"
        )


def _write_samples(run: RunFolder, arms: Mapping[str, Arm], told: Told) -> dict[Path, int]:
    """Write the samples of all repetitions; returns the rounds in each file."""

    def one(seed: tuple[Arm, int]) -> tuple[Path, int]:
        arm, k = seed
        replay = SeedReplay(run, arm, k)
        sample = last_rounds(replay, arm.record.sample_rounds)
        if (wrong := replay.confirm()) is not None:
            raise ConfigError(f"{run.seed(arm.name, k)}: {wrong}. Nothing was sealed.")
        path = write_sample(run.seed(arm.name, k), sample)
        told(f"{arm.name}/s{k}")
        return path, len(sample["clock"])

    seeds = [
        (arm, k) for arm in arms.values() if arm.record.sample_rounds for k in range(arm.seeds)
    ]
    load_learners(arms.values())
    # Linear algebra must not start threads of its own, as in training.
    with threadpool_limits(limits=1), ThreadPoolExecutor(workers()) as threads:
        return dict(threads.map(one, seeds))
