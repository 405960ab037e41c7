"""Single bits flipped in every file of a finished run, and in the saves of one under way."""

from __future__ import annotations

from pathlib import Path

from attack.trial import TABULAR, Child, Outcome, chance, interrupt, train

from tacit.envs.errors import ConfigError
from tacit.training.runs.partial import save_notes
from tacit.training.storage.load_run import load_run

LOCKS = ".locks"  # what another command is told of the holder, and nothing else


def flips(folder: Path, count: int) -> list[Outcome]:
    """Flip one bit at a time."""
    return [_finished(folder / "finished", count), _under_way(folder / "under_way", count // 10)]


def _finished(folder: Path, count: int) -> Outcome:
    """A finished run of two arms, with bands, plots and figure."""
    outcome = Outcome(
        "a bit flipped in any file of a finished run",
        "`tacit show`, `compare` and `best-response` refuse and name the file",
    )
    assert Child(lambda: _two_arms(folder)).join(300) == "done"
    run = folder / "ad_auction"
    files = sorted(p for p in run.rglob("*") if p.is_file() and LOCKS not in p.parts)
    load_run(run)  # as it is, it is accepted
    luck = chance("flips")
    for n in range(count):
        path = files[n % len(files)]
        data = path.read_bytes()
        place, bit = luck.randrange(len(data)), luck.randrange(8)
        path.write_bytes(_flipped(data, place, bit))
        try:
            load_run(run)
            outcome.count(f"{path.relative_to(run)}: bit {bit} of byte {place} was accepted")
        except ConfigError as error:
            told = str(error)
            outcome.count(
                None if str(path) in told else f"{path.relative_to(run)} is not named: {told}"
            )
        except Exception as error:
            outcome.count(f"{path.relative_to(run)}: {error!r}")
        finally:
            path.write_bytes(data)
    load_run(run)
    return outcome


def _two_arms(folder: Path) -> None:
    train(folder, TABULAR, as_arm="profit")
    train(folder, (*TABULAR, "kpi=calm"), as_arm="calm")


def _flipped(data: bytes, place: int, bit: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1 << bit
    return bytes(changed)


def _under_way(folder: Path, count: int) -> Outcome:
    """Saves of an interrupted run: a flipped one is left out with a note, and nothing is lost."""
    outcome = Outcome(
        "a bit flipped in a save of a seed under way",
        "`tacit resume` says so and trains the seed again",
    )
    assert Child(lambda: interrupt(folder)).join(300) == "done"
    saves = sorted(folder.rglob("partial.*"))
    assert saves
    luck = chance("partial flips")
    for n in range(count):
        path = saves[n % len(saves)]
        data = path.read_bytes()
        place, bit = luck.randrange(len(data)), luck.randrange(8)
        path.write_bytes(_flipped(data, place, bit))
        told = save_notes(path.parent)
        path.write_bytes(data)
        named = any(str(path) in line for line in told)
        outcome.count(None if named else f"{path.name}: bit {bit} of byte {place}: {told}")
    return outcome
