"""Names that become folders: of runs and of arms, whether a user types them or a file says them."""

from __future__ import annotations

from tacit.envs.errors import ConfigError

LONGEST = 100  # bytes: a name with everything that is put before and behind it stays below 255
# Files and folders of a run, beside which no arm may lie.
TAKEN = ("config.yaml", "incentives.json", "summary.json", "ledger.jsonl", "seals.json",
         "policies", "signatures")  # fmt: skip
TAKEN_BEGINNINGS = ("events.out.", "curves.out.")
TAKEN_ENDINGS = (".png", ".tmp", ".lock")


def folder_mistake(name: object) -> str | None:
    """Why a name cannot be that of one folder; None if it can."""
    if not isinstance(name, str) or not name:
        return "is no name"
    if len(name.encode("utf-8", "surrogatepass")) > LONGEST:
        return f"is longer than {LONGEST} bytes"
    # Line feeds, escape codes and marks that turn the direction of text are not printable.
    if not name.isprintable():
        return "holds characters that cannot be printed"
    if any(c in name for c in "/\\ "):
        return "holds a space, a slash or a backslash"
    if name.startswith((".", "-")):
        return "begins with a dot or a dash"
    return None


def arm_mistake(name: object) -> str | None:
    """Why a name cannot be that of an arm; None if it can."""
    if (mistake := folder_mistake(name)) is not None:
        return mistake
    lower = str(name).lower()  # some file systems do not tell capitals from small letters
    if lower.startswith("_"):
        return "begins with an underscore"
    if lower in TAKEN or lower.startswith(TAKEN_BEGINNINGS) or lower.endswith(TAKEN_ENDINGS):
        return "is kept for a file of the run"
    return None


def check_arm_name(name: str, where: str) -> None:
    """Check that a name can be an arm's, and so a folder's; `where`: its key or option.

    Raises:
        ConfigError: it cannot be.
    """
    if (mistake := arm_mistake(name)) is not None:
        why = f"cannot name an arm, for it becomes a folder: it {mistake}."
        raise ConfigError(f"{where}: {name!r} {why}")
