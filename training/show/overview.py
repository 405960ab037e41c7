"""What `tacit list` prints without a name: everything, a line each.

The rows depend on the YAML files and on tacit's own sources. To make them, every market and every
learner's config has to be imported, so they are kept in the cache folder with what they were made
of. Where markets or agents of a user's or of an installed package are listed, they are made anew:
that code may change unseen.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from tacit.envs.jit.kept import keep, read_kept
from tacit.envs.registry import MARKETS, SHIPPED
from tacit.training.config import files

from .terminal import TextTable

KIND = "listing"  # the kind of what is kept

Rows = list[list[dict[str, str]]]  # of each table, by column


def everything() -> Iterator[str | TextTable]:
    """Markets, KPIs, agents, priors, experiments: a table each, with blank lines between.

    Raises:
        ConfigError: a YAML file cannot be read.
    """
    for k, rows in enumerate(_rows()):
        if k:
            yield ""
        yield TextTable(rows)


def _rows() -> Rows:
    made_of = _made_of()
    rows: Rows | None = None if made_of is None else read_kept(KIND, made_of)
    if rows is None:
        from .listing import rows_of_everything  # slow to import

        rows = rows_of_everything()
        if made_of is not None:
            keep(KIND, made_of, rows)
    return rows


def _made_of() -> list[list[str]] | None:
    """The YAML files with their bytes as text; None where code from elsewhere is listed too, or a
    file cannot be read, which is then told."""
    if os.environ.get("TACIT_PLUGINS") or set(MARKETS) != set(SHIPPED):
        return None
    found = [file for group in files.FOLDERS for file in files.configs(group)]
    if not all(file.is_file() for file in found):  # to read a pipe would wait for ever
        return None
    try:
        return [[str(f), f.read_bytes().decode("utf-8", "backslashreplace")] for f in found]
    except OSError:
        return None
