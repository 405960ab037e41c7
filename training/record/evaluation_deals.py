"""Deals of evaluation: what the trained agents of a run do without exploring and without learning.

Training has no rounds of this kind, since probes compute with policies rather than play them. These
are played for whoever asks: the policies are fixed tables, market and KPI are those with which
training ended, the market begins an episode, and draws come from the repetition's own seed, so the
same deals come out each time.
"""

from __future__ import annotations

from collections.abc import Sequence

from tacit.agents.tabular.group import TabularGroup
from tacit.agents.tabular.recording import build_recording, recording_bytes
from tacit.envs.errors import ConfigError
from tacit.oversight.harm import ReferencePlay
from tacit.training.config.arms import Arm
from tacit.training.storage.load_run import learned_tables, trained_arm
from tacit.training.storage.run_folder import RunFolder

from .deals import EVALUATION, Deals, deal_columns, joined
from .replay import MOST_BYTES
from .selection import MOST_DEALS


def evaluation_deals(run: RunFolder, arm: Arm, seeds: Sequence[int], rounds: int) -> Deals:
    """The first rounds of evaluation of some repetitions.

    Args:
        run: the run.
        arm: the arm.
        seeds: repetitions, 0 .. n-1.
        rounds: how many of each copy.

    Raises:
        ConfigError: a repetition that does not exist or is not finished, or more deals than one
            request may have.
    """
    count = rounds * arm.train.copies * len(seeds)
    mistakes = [
        f"--seed: must be 0 to {arm.seeds - 1} in arm {arm.name}, got {k}."
        for k in seeds
        if not 0 <= k < arm.seeds
    ]
    if count > MOST_DEALS:
        mistakes.append(
            f"--evaluation: {count:,} deals are more than the {MOST_DEALS:,} that one request may "
            "have. Ask for fewer rounds or one --seed."
        )
    if mistakes:
        raise ConfigError(mistakes)
    return joined([table for k in seeds for table in _played(run, arm, k, rounds)])


def _played(run: RunFolder, arm: Arm, k: int, rounds: int) -> list[Deals]:
    """The deals of one repetition, in stretches that fit into memory."""
    arm.check_policies_known()
    tables, arm = learned_tables(run, arm, k), trained_arm(run, arm, k)
    group = TabularGroup(
        arm.market, arm.kpi, {}, arm.seed + k, arm.train.copies, arm.train.episode_rounds,
        fixed_tables=tables,
    )  # fmt: skip
    game = group.seed_state.game
    try:
        reference = ReferencePlay(arm.market, game, arm.seed + k)
    except ConfigError:
        reference = None  # a market that knows no honest play: harm is not told
    room = max(1, MOST_BYTES // recording_bytes(game, group.rows))
    deals = []
    while group.rounds < rounds:
        recording = build_recording(game, group.rows, min(room, rounds - group.rounds))
        group.run(len(recording.clock), recording)
        harm = reference.harm(recording) if reference else None
        deals.append(deal_columns(arm, k, recording, harm, EVALUATION))
    return deals
