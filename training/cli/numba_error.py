"""A mistake in the rules of a market, as Numba reports it, in one line."""

from __future__ import annotations

import re
import sys

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PREFIX = "Failed in "  # "nopython mode pipeline", before the mistake itself


def in_one_line(error: Exception) -> str | None:
    """The mistake and where it is; None for an error that is none of Numba's.

    Numba is looked up, not imported: it takes a second, and an error of its own has loaded it.
    """
    errors = sys.modules.get("numba.core.errors")
    if errors is None or not isinstance(error, errors.NumbaError):
        return None
    lines = [line.strip() for line in COLOUR.sub("", str(error)).splitlines()]
    told = [line for line in lines if line and not line.startswith(PREFIX)]
    where = next((line for line in told if line.startswith("During: ") and " at " in line), "")
    return " ".join(("rules that do not compile:", told[0] if told else "?", where)).strip()
