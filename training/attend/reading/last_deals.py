"""The last deals of a repetition under way, and why one was done: played again from its last save.

A replay is a group of its own (`training/record/replay.py`); it touches neither what is learned nor
a draw of training.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tacit.envs.errors import ConfigError
from tacit.oversight.harm import ReferencePlay
from tacit.training.config.arms import Arm
from tacit.training.record.deals import chosen, deal_columns, deal_name, in_words, row_names
from tacit.training.record.replay import SeedReplay
from tacit.training.record.why import check_is_of_training, explain
from tacit.training.show.why_text import why_lines
from tacit.training.storage.run_folder import RunFolder

MOST_SECONDS = 8.0  # that a replay may take, at the speed at which the repetition was trained
ADVICE = "tacit deals tells them once the run has ended."


def last_deals(run: RunFolder, arm: Arm, k: int, count: int) -> dict[str, Any]:
    """The last rounds of the first copy, as of the repetition's last save, in the words of `deals`.

    Args:
        run: the run.
        arm: as it was configured.
        k: the repetition.
        count: how many rounds at most.

    Returns:
        `round` of the save; `deals`, the newest first: `name`, `lines`, `harm`, `to`; `doubt` where
        the rounds are not exactly those of the run, else null.

    Raises:
        ConfigError: nothing is saved, or the replay would take too long.
    """
    replay = SeedReplay(run, arm, k, under_way=True)
    first = max(replay.first, replay.end - count)
    if first == replay.end:
        return {"round": replay.end, "branch": replay.branch, "deals": [], "doubt": None}
    _check_time(replay, first, replay.end)
    replay.go_to(first)
    recording = replay.record(replay.end - first)
    try:
        harm = ReferencePlay(replay.arm.market, replay.game, arm.seed + k).harm(recording)
    except ConfigError:
        harm = None  # a market that knows no honest play
    deals = deal_columns(replay.arm, k, recording, harm, replay.branch)
    deals = chosen(deals, np.flatnonzero(deals["copy"].values == 0)[::-1])
    return {
        "round": replay.end,
        "branch": replay.branch,
        "deals": [
            {
                "name": str(name),
                "lines": in_words(replay.arm, deals, row),
                "harm": deals["harm"].at(row) if harm is not None else None,
                "to": deals["harmed"].at(row) if harm is not None else None,
            }
            for row, name in enumerate(row_names(deals))
        ],
        "doubt": replay.confirm(),
    }


def why(run: RunFolder, arm: Arm, deal: str) -> dict[str, Any]:
    """Why a deal was done, in the words of `tacit why`.

    Args:
        run: the run.
        arm: as it was configured.
        deal: its name.

    Raises:
        ConfigError: there is no such deal so far, or the replay would take too long.
    """
    name = deal_name(deal)
    check_is_of_training(name)
    if name.seed >= arm.seeds:
        raise ConfigError(f"DEAL: arm {arm.name} has seeds 0 to {arm.seeds - 1}, got {name.seed}.")
    replay = SeedReplay(run, arm, name.seed, name.branch, under_way=True)
    at = min(max(name.round, replay.first), replay.end)
    _check_time(replay, at, at + replay.rounds_to_confirm(at))
    found = explain(replay, name)
    return {"lines": list(why_lines(found)), "doubt": replay.confirm()}


def _check_time(replay: SeedReplay, first: int, last: int) -> None:
    """Check that playing up to `first` and on to `last` does not take too long.

    Raises:
        ConfigError: it would.
    """
    seconds = (replay.rounds_to(first) + last - first) * replay.speed
    if seconds > MOST_SECONDS:
        raise ConfigError(
            f"deals: to play them again from the kept state before takes about "
            f"{math.ceil(seconds)} seconds, more than the {MOST_SECONDS:g} that the page takes. "
            f"{ADVICE}"
        )
