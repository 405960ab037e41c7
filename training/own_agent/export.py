"""What a seat of a run learned, as a policy file."""

from __future__ import annotations

from pathlib import Path

from tacit.agents.external.policy_file import PolicyCard, card_of, write_policy
from tacit.envs.errors import ConfigError, nearest
from tacit.training.storage.load_run import Run, choose_arm, load_policy, trained_arm


def export_policy(run: Run, seat: str | None, arm: str | None, seed: int, path: Path) -> PolicyCard:
    """Write the policy of a seat, without exploration, into a file.

    Args:
        run: a finished run.
        seat: the seat's name; None where the arm has one seat that learns.
        arm: the arm; None: the run's first.
        seed: the number of the repetition, 0 .. seeds - 1.
        path: the file.

    Returns:
        The card that was written.

    Raises:
        ConfigError: an unknown arm, seat or repetition; a repetition that is not finished; a folder
            that does not exist, or cannot be written to.
    """
    chosen = choose_arm(run.experiment, arm)
    names = [s.name for s in chosen.market.seats]
    learners = [name for name, own in zip(names, chosen.learned, strict=True) if own]
    if seat is None and len(learners) != 1:
        raise ConfigError(f"--seat: missing. {nearest('', names)}")
    name = learners[0] if seat is None else seat
    table = load_policy(run, name, chosen.name, seed)
    under = trained_arm(run.folder, chosen, seed)
    origin = {"run": run.folder.name, "arm": chosen.name, "seed": seed}
    card = card_of(under.market, name, table, under.kpi, origin)
    if not path.parent.is_dir():
        raise ConfigError(f"-o: there is no folder {path.parent}.")
    try:
        write_policy(path, table, card)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}.") from None
    return card
