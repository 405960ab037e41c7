"""Counts in the three files of `human_claims`: false statements, suspicion, accepted proposals.

The files are reductions of two public corpora. They are looked for in the folder that the user
names; no row of them is kept. A file counts as known by its SHA-256, so that a fitted figure says
from which bytes it came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tacit.envs.errors import ConfigError, nearest
from tacit.training.config.mistakes import MistakeList
from tacit.training.user_files.csv_columns import RawColumns, read_columns

MESSAGES = "diplomacy_lies/messages.csv"
CLAIMS = "casino_offers/claims.csv"
OFFERS = "casino_offers/offers.csv"
# The files that SOURCE.md of the data describes.
KNOWN = {
    MESSAGES: "ab052e9a568dfa199d8b1455001a8453fea7fd6267bb694312476ff7fc347c9b",
    CLAIMS: "28954f604c69c7e053221cd004fceda293e968fd9e09b9fb23f20e787ef84b62",
    OFFERS: "282fd948936ed8bdbff1fc079cb2d79f39602d33fa69b8fb909be2cce9b3a3ea",
}
MOST_POINTS = 36  # of a campsite deal: three packages of 5, of 4 and of 3 points
# Points from which a rate of acceptance is counted anew.
POINT_STEPS = (0, 12, 16, 20, 24)
Count = tuple[int, int]  # how often, of how many


@dataclass(frozen=True)
class HumanClaims:
    """What was counted.

    Attributes:
        hashes: file -> SHA-256.
        false_message: messages that their sender called false, of all.
        suspected: messages that their receiver took for false, of those with an answer.
        suspected_lie: the same of false messages.
        suspected_truth: the same of true ones.
        false_priority: statements of the own top priority that were false, of all.
        false_no_need: statements of not needing something that was the top priority, of all.
        accepted: least points -> proposals accepted, of those that were answered.
    """

    hashes: Mapping[str, str]
    false_message: Count
    suspected: Count
    suspected_lie: Count
    suspected_truth: Count
    false_priority: Count
    false_no_need: Count
    accepted: Mapping[int, Count]

    def rows(self) -> list[tuple[str, Count]]:
        """Every count, with what it is."""
        points = [*POINT_STEPS, MOST_POINTS + 1]
        return [
            ("messages that their sender called false", self.false_message),
            ("messages that their receiver took for false", self.suspected),
            ("false messages that their receiver took for false", self.suspected_lie),
            ("true messages that their receiver took for false", self.suspected_truth),
            ("stated top priorities that were false", self.false_priority),
            ("stated as not needed, and the top priority", self.false_no_need),
            *(
                (f"proposals of {low} to {high - 1} own points accepted", self.accepted[low])
                for low, high in pairwise(points)
            ),
        ]


def read_human_claims(folder: Path, any_file: bool = False) -> HumanClaims:
    """Count in the files of a folder.

    Args:
        folder: has `diplomacy_lies/` and `casino_offers/`.
        any_file: whether files of other bytes than the known ones are read as well.

    Raises:
        ConfigError: every file that is missing, lacks columns, holds a value that it cannot hold,
            or is not the known one.
    """
    if not folder.is_dir():
        raise ConfigError(f"DIR: there is no folder '{folder}'.")
    mistakes = MistakeList()
    hashes: dict[str, str] = {}
    messages: Count = (0, 0)
    suspicions: dict[str, Count] = {}
    claims: dict[str, Count] = {}
    accepted: dict[int, Count] = {}
    with mistakes.collecting():
        messages, suspicions = _messages(folder / MESSAGES)
        hashes[MESSAGES] = _checked_hash(folder, MESSAGES, any_file)
    with mistakes.collecting():
        claims = _claims(folder / CLAIMS)
        hashes[CLAIMS] = _checked_hash(folder, CLAIMS, any_file)
    with mistakes.collecting():
        accepted = _accepted(folder / OFFERS)
        hashes[OFFERS] = _checked_hash(folder, OFFERS, any_file)
    mistakes.raise_if_any()
    lies, truths = suspicions["False"], suspicions["True"]
    return HumanClaims(
        hashes=hashes,
        false_message=messages,
        suspected=(lies[0] + truths[0], lies[1] + truths[1]),
        suspected_lie=lies,
        suspected_truth=truths,
        false_priority=claims["top"],
        false_no_need=claims["no_need"],
        accepted=accepted,
    )


def _checked_hash(folder: Path, file: str, any_file: bool) -> str:
    """The SHA-256 of a file.

    Raises:
        ConfigError: it is not the known one.
    """
    found = hashlib.sha256((folder / file).read_bytes()).hexdigest()
    if found != KNOWN[file] and not any_file:
        raise ConfigError(
            f"{folder / file}: is not the file that is known: its SHA-256 is {found[:12]}..., not "
            f"{KNOWN[file][:12]}...; it was altered. To count in it all the same: --any-file."
        )
    return found


# --- the three files ------------------------------------------------------------------------------


def _messages(path: Path) -> tuple[Count, dict[str, Count]]:
    """False messages of all; and by the sender's word, those taken for false of those judged."""
    truths = ("True", "False")
    raw, values = _columns(
        path, {"sender_truthful": truths, "receiver_believes": (*truths, "NOANNOTATION")}
    )
    pairs = list(zip(values["sender_truthful"], values["receiver_believes"], strict=True))
    judged = [pair for pair in pairs if pair[1] != "NOANNOTATION"]
    false = sum(truthful == "False" for truthful, _ in pairs)
    suspected = {
        word: _count([believed == "False" for truthful, believed in judged if truthful == word])
        for word in truths
    }
    for word, (_, n) in suspected.items():
        if n == 0:
            raise ConfigError(f"{path}: no message with sender_truthful {word} was judged.")
    return (false, len(raw.line)), suspected


def _claims(path: Path) -> dict[str, Count]:
    """By the kind of a claim: how many were false when they were read, of all."""
    kinds = ("top", "no_need")
    _, values = _columns(path, {"claim": kinds, "read_false": ("0", "1")})
    pairs = list(zip(values["claim"], values["read_false"], strict=True))
    found = {kind: _count([false == "1" for claim, false in pairs if claim == kind])
             for kind in kinds}  # fmt: skip
    for kind, (_, n) in found.items():
        if n == 0:
            raise ConfigError(f"{path}: holds no claim '{kind}'.")
    return found


def _accepted(path: Path) -> dict[int, Count]:
    """By the points that a proposal leaves to who answers it: how many were accepted."""
    acts = ("submit", "accept", "reject", "walk")
    raw, values = _columns(
        path, {"act": acts, "dialogue": None, "party": ("1", "2"), "points_other": None}
    )
    proposals: dict[str, tuple[str, int]] = {}  # dialogue -> by whom, points of the other
    answered: dict[int, list[bool]] = {least: [] for least in POINT_STEPS}
    rows = zip(
        values["act"], values["dialogue"], values["party"], values["points_other"], strict=True
    )
    for row, (act, dialogue, party, points) in enumerate(rows):
        if act == "submit":
            if not (points.isascii() and points.isdigit() and int(points) <= MOST_POINTS):
                raise ConfigError(
                    f"{path}, line {raw.line[row]}: points_other must be a whole number from 0 to "
                    f"{MOST_POINTS}, got '{points}'."
                )
            proposals[dialogue] = party, int(points)
            continue
        proposer, offered = proposals.pop(dialogue, (party, 0))
        if proposer == party:  # nothing was proposed to it
            if act == "walk":
                continue
            raise ConfigError(
                f"{path}, line {raw.line[row]}: nothing was proposed to party {party} of dialogue "
                f"{dialogue}, but it does '{act}'."
            )
        answered[max(s for s in POINT_STEPS if s <= offered)].append(act == "accept")
    for least, own in answered.items():
        if not own:
            raise ConfigError(f"{path}: no proposal of {least} points or a few more was answered.")
    return {least: _count(own) for least, own in answered.items()}


def _count(cases: Sequence[bool]) -> Count:
    return sum(cases), len(cases)


def _columns(
    path: Path, wanted: Mapping[str, Sequence[str] | None]
) -> tuple[RawColumns, dict[str, list[str]]]:
    """Columns of a file as texts, each value one of those that its column can hold (None: any).

    Raises:
        ConfigError: no such file, no such column, no row, rows of another length, or other values.
    """
    raw = read_columns(path, {name: [name] for name in wanted})
    if not len(raw.line):
        raise ConfigError(f"{path}: has no rows below its header.")
    if (raw.short | raw.long).any():  # its cells may belong to other columns: read none
        row = int((raw.short | raw.long).argmax())
        raise ConfigError(
            f"{path}, line {raw.line[row]}: has another number of cells than the header."
        )
    mistakes = MistakeList()
    for name, known in wanted.items():
        column = raw.cells[name]
        strange = [word for word in column.words if known is not None and word not in known]
        if strange:
            row = int((column.code == column.words.index(strange[0])).argmax())
            mistakes.append(
                f"{path}, line {raw.line[row]}: {name} cannot be '{strange[0]}'. "
                f"{nearest(strange[0], known or ())}"
            )
    mistakes.raise_if_any()
    return raw, {name: [raw.cells[name].at(k) for k in range(len(raw.line))] for name in wanted}
