"""What a run seals, and finding out whether it is still as it was sealed.

`seals.json` holds the SHA-256 of every file that is written over all seeds (configuration,
incentives, summary, bands, plots, figure), and of the record of every seed, which seals its own
arrays, measures, event file and keyframes. The ledger holds the SHA-256 of `seals.json`,
and seals itself as a chain. So a byte that is altered anywhere in a finished run is found and
named.

Files are written between two entries of the ledger, `results are being written` and `results
sealed`. A run whose last of these two is the first was interrupted there; `tacit resume` writes
them again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from tacit.envs.errors import ConfigError
from tacit.oversight import ledger as ledgers
from tacit.oversight.ledger import Ledger

from . import checkpoint
from .atomic_files import file_hash, parse_keys, read_file, read_json, write_json
from .live.answers_file import ANSWERS_SHA256
from .run_folder import RunFolder
from .run_lock import told_holder

WRITING, SEALED = "results are being written", "results sealed"
HASH = "seals_sha256"  # in the ledger's entry
FILES_OF_A_SEED = ("events_sha256", "keyframes_sha256", ANSWERS_SHA256)  # keys of its record
POLICY_FILE = ".safetensors"  # the end of the names of files that are policies of seats


class Seals:
    """What `seals.json` of a run holds.

    Attributes:
        files: SHA-256 by path within the run, slashes between its parts.
        seeds: by arm, SHA-256 of the record of every seed, in order; "" of one that is not sealed.
        made_of: by arm, a hash of what its bands and plots were made of (its summary, its seeds'
            event files): where it is the same, they need not be written again. Under "" that of
            TensorBoard's pages of the whole run.
    """

    def __init__(self, table: Mapping[str, Any] | None = None) -> None:
        known = table or {}
        self.files = _texts(known.get("files"))
        seeds = known.get("seeds")
        self.seeds = {
            str(arm): [str(digest) for digest in digests]
            for arm, digests in (seeds.items() if isinstance(seeds, Mapping) else ())
            if isinstance(digests, list)
        }
        self.made_of = _texts(known.get("made_of"))

    def plain(self) -> dict[str, Any]:
        """As in seals.json."""
        return {"files": self.files, "seeds": self.seeds, "made_of": self.made_of}


def _texts(table: object) -> dict[str, str]:
    """Those entries of a table that are texts."""
    entries = table.items() if isinstance(table, Mapping) else ()
    return {str(key): value for key, value in entries if isinstance(value, str)}


def still_made(run: RunFolder, seals: Seals) -> dict[str, str]:
    """Of `Seals.made_of` of an interrupted writer, the arms whose files are as it left them."""
    return {
        arm: made_of
        for arm, made_of in seals.made_of.items()
        if arm
        and all(
            file_hash(run.inside(*name.split("/"))) == digest
            for name, digest in seals.files.items()
            if name.startswith(f"{arm}/")
        )
    }


def read_seals(run: RunFolder) -> Seals:
    """The seals of a run; empty ones where it has none.

    Raises:
        ConfigError: seals.json cannot be read.
    """
    return Seals(read_json(run.seals))


# --- sealing -------------------------------------------------------------------------------------


KEEP_EVERY = 5.0  # seconds between two writings of seals that are not complete


class Sealer:
    """Seals what a command writes to a run. `open` comes before the first write, `close` last.

    Whatever ends the command in between, the run is known to be unfinished.

    Attributes:
        seals: what is sealed so far, and will be when it is closed.
    """

    def __init__(self, run: RunFolder, ledger: Ledger, seals: Seals) -> None:
        """A sealer of a run whose lock is held; `seals` are those that hold now."""
        self.run, self.seals = run, seals
        self._ledger, self._is_open, self._kept = ledger, False, time.monotonic()

    @property
    def ledger(self) -> str:
        """The ledger so far, as somebody may keep it elsewhere: how many acts, and its head."""
        return f"{self._ledger.count} acts, the hash of the last one {self._ledger.head}"

    def open(self) -> None:
        """Record that files of the run are being written, if that is not recorded already."""
        if not self._is_open:
            self._ledger.append(WRITING)
            self._is_open = True

    def close(self) -> None:
        """Write the seals, and their hash into the ledger, if anything was written."""
        if self._is_open:
            write_json(self.run.seals, self.seals.plain())
            self._ledger.append(SEALED, **{HASH: file_hash(self.run.seals)})
            self._is_open = False

    def keep(self) -> None:
        """Write the seals so far, if that is some seconds ago, so that a command that is stopped
        while it draws hundreds of arms goes on where it was."""
        if self._is_open and time.monotonic() - self._kept >= KEEP_EVERY:
            write_json(self.run.seals, self.seals.plain())
            self._kept = time.monotonic()

    def files(self, *paths: Path) -> None:
        """Seal files as they are now, and every file of those paths that are folders.

        What was sealed below such a folder and is no longer there is forgotten.
        """
        for path in paths:
            for old in [key for key in self.seals.files if self._is_within(key, path)]:
                del self.seals.files[old]
            inside = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
            for file in inside:
                if (digest := file_hash(file)) is not None:
                    self.seals.files[self._name(file)] = digest

    def seeds(self, arm: str, count: int) -> None:
        """Seal the records of all repetitions of an arm."""
        self.seals.seeds[arm] = [_record_hash(self.run, arm, k) or "" for k in range(count)]

    def unseal_seed(self, arm: str, k: int) -> None:
        """A repetition that was sealed is about to be trained again."""
        digests = self.seals.seeds.get(arm, [])
        if k < len(digests) and digests[k]:
            self.open()
            digests[k] = ""

    def holds(self, arm: str, made_of: str, path: Path) -> bool:
        """Whether an arm's files were made of the same, and none of them is missing."""
        names = [name for name in self.seals.files if self._is_within(name, path)]
        same = self.seals.made_of.get(arm) == made_of
        return same and all(self.run.inside(*name.split("/")).is_file() for name in names)

    def _name(self, path: Path) -> str:
        return path.relative_to(self.run.path).as_posix()

    def _is_within(self, name: str, path: Path) -> bool:
        return name == self._name(path) or name.startswith(f"{self._name(path)}/")


def _record_hash(run: RunFolder, arm: str, k: int) -> str | None:
    """The SHA-256 of a repetition's record; None where there is none."""
    return file_hash(run.checkpoint(arm, k).with_suffix(".json"))


# --- checking ------------------------------------------------------------------------------------


class Finding(NamedTuple):
    """A file of a run that is not as it was sealed.

    Attributes:
        path: the file.
        text: what is wrong with it, and what to do.
        is_made_again: whether training the same arms again writes it anew.
    """

    path: Path
    text: str
    is_made_again: bool


def check_sealed(run: RunFolder, counts: Mapping[str, int]) -> None:
    """Check that a run is as it was sealed, before anything of it is shown.

    Args:
        run: its folder.
        counts: repetitions by arm.

    Raises:
        ConfigError: every file that was altered or removed, or an interrupted writer.
    """
    wrong = [f"{found.path}: {found.text}" for found in findings(run, counts)]
    if is_unfinished(run):
        holder = told_holder(run)
        wrong.append(
            f"{run.path}: a command was interrupted while it wrote the results. Nothing that was "
            f"learned is lost: {run.resume}"
            if holder is None
            else f"{run.path}: {holder} is writing its results now. Wait until it has ended."
        )
    if wrong:
        raise ConfigError(wrong)


def is_unfinished(run: RunFolder) -> bool:
    """Whether the last command that wrote the run's results was stopped before it sealed them."""
    return _last_act(run).get("act") == WRITING


def findings(run: RunFolder, counts: Mapping[str, int]) -> list[Finding]:
    """What is not as it was sealed; nothing where a run was never sealed.

    Args:
        run: its folder.
        counts: repetitions by arm.

    Raises:
        ConfigError: a file cannot be read, or a line of the ledger is no entry.
    """
    resume = f"{run.resume} writes it anew."
    if not run.ledger.exists():
        if run.seals.exists():
            return [Finding(run.ledger, "is missing, but this run was sealed.", False)]
        return _altered_seeds(run, counts, {})
    ledgers.read(run.ledger)  # says which line is none, if one is
    broken = ledgers.first_broken(run.ledger)
    if broken is not None:
        text = f"entry {broken} does not follow from those before it; the file was altered."
        return [Finding(run.ledger, text, False)]
    last = _last_act(run)
    if last.get("act") != SEALED:
        return _altered_seeds(run, counts, {})
    if file_hash(run.seals) != last.get(HASH):
        found = Finding(run.seals, f"does not match the ledger; it was altered. {resume}", True)
        return [found, *_altered_seeds(run, counts, {})]
    seals = read_seals(run)
    return [*_altered_files(run, seals), *_altered_seeds(run, counts, seals.seeds)]


def _altered_files(run: RunFolder, seals: Seals) -> list[Finding]:
    """Sealed files that are missing or have other contents."""
    found = []
    for name, digest in seals.files.items():
        path = run.inside(*name.split("/"))
        if (present := file_hash(path)) != digest:
            what = "is missing" if present is None else "was altered since it was sealed"
            advice, is_made_again = f"{run.resume} writes it anew.", False
            if path == run.config:
                advice = "Put it back as it was: every seed's record holds its arm's part."
            elif path.suffix == POLICY_FILE:
                advice = "Put it back as it was: it holds the policy that a seat plays."
            else:
                is_made_again = True
            found.append(Finding(path, f"{what}. {advice}", is_made_again))
    return found


def _altered_seeds(
    run: RunFolder, counts: Mapping[str, int], sealed: Mapping[str, list[str]]
) -> list[Finding]:
    """Repetitions that are not as they were saved, or as they were when their arm was sealed."""
    found = []
    for arm, count in counts.items():
        digests = sealed.get(arm, [])
        for k in range(count):
            found += _altered_seed(run, arm, k, digests[k] if k < len(digests) else "")
    return found


def _altered_seed(run: RunFolder, arm: str, k: int, sealed: str) -> list[Finding]:
    """What is wrong with a repetition that was finished; `sealed` is its record's hash, or ""."""
    path = run.checkpoint(arm, k)
    again = f"{run.resume} trains it again."
    if not path.with_suffix(".json").exists():
        return [Finding(path, f"is missing. {again}", True)] if sealed else []
    found = _as_sealed(path, sealed) or checkpoint.finished_as_written(path)
    if found is None:
        text = f"does not match its seal; it was cut or altered. {again}"
        return [Finding(checkpoint.damaged_file(path), text, True)]
    record, record_hash = found
    if sealed and sealed != record_hash:
        text = f"is not the record that was sealed. Move {path.parent} away, then {again}"
        return [Finding(path.with_suffix(".json"), text, False)]
    move = f"Move {path.parent} away, then {again}"
    return [
        Finding(path.parent / name, f"was altered or removed since the seed ended. {move}", False)
        for files in FILES_OF_A_SEED
        for name, digest in _texts(record.get(files)).items()
        if file_hash(run.inside(arm, f"s{k}", name)) != digest
    ]


def _as_sealed(path: Path, sealed: str) -> tuple[dict[str, Any], str] | None:
    """The hashes in a record that is the one that was sealed, and the record's own; None: it is
    another, or its arrays are not those that it names.

    What was sealed was whole, so most of it need not be parsed: that takes longer than all else.
    """
    with suppress(OSError, ValueError):
        text = read_file(path.with_suffix(".json"))
        if sealed and hashlib.sha256(text).hexdigest() == sealed:
            hashes = parse_keys(text, ("sha256", *FILES_OF_A_SEED))
            if (arrays := file_hash(path)) and arrays == hashes.get("sha256"):
                return hashes, sealed
    return None


def _last_act(run: RunFolder) -> dict[str, Any]:
    """The last entry of the ledger about the run's results; empty where there is none."""
    if not run.ledger.exists():
        return {}
    acts = [entry for entry in ledgers.read(run.ledger) if entry.get("act") in (WRITING, SEALED)]
    return acts[-1] if acts else {}
