"""Tables of deals as Arrow tables, files, and answers to a condition in SQL.

Arrow and DuckDB come with `pip install 'tacit[oversight]'`. Without them deals are printed and
written as CSV, and nothing is kept between two commands.
"""

from __future__ import annotations

import csv
import importlib.util
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from tacit.envs.errors import ConfigError, nearest
from tacit.training.plain_text import visible

from .deals import DealColumn, Deals, row_names, size

MOST_BYTES = 1_000_000_000  # of all deals that are kept
EXTRA = "pip install 'tacit[oversight]' brings what it needs."


def is_available() -> bool:
    """Whether Arrow and DuckDB are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("pyarrow", "duckdb"))


# --- Arrow ---------------------------------------------------------------------------------------


def as_arrow(deals: Deals) -> Any:
    """A `pyarrow.Table` of the same columns; words are dictionaries."""
    import pyarrow as pa

    arrays = {}
    for name, column in deals.items():
        if column.words is None:
            arrays[name] = pa.array(np.ascontiguousarray(column.values))
        else:
            missing = column.values < 0
            indices = pa.array(np.where(missing, 0, column.values).astype(np.int32), mask=missing)
            words = pa.array(list(column.words) or [""], pa.string())
            arrays[name] = pa.DictionaryArray.from_arrays(indices, words)
    return pa.table(arrays)


def from_arrow(table: Any) -> Deals:
    """The deals of a `pyarrow.Table` that `as_arrow` made."""
    import pyarrow as pa

    deals: Deals = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_string(column.type):  # some readers return words instead of a dictionary
            column = column.dictionary_encode()
        if pa.types.is_dictionary(column.type):
            whole = column.unify_dictionaries().combine_chunks()
            chunks = whole.chunks if isinstance(whole, pa.ChunkedArray) else [whole]
            words = tuple(chunks[0].dictionary.to_pylist()) if chunks else ()
            digits = [
                np.asarray(c.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int32)
                for c in chunks
            ]
            deals[name] = DealColumn(np.concatenate(digits or [np.empty(0, np.int32)]), words)
        else:
            deals[name] = DealColumn(column.to_numpy())
    return deals


def read_kept(path: Path) -> Deals | None:
    """Deals that an earlier command kept; None where there are none, or none that can be read."""
    if not is_available() or not path.is_file():
        return None
    import pyarrow as pa
    import pyarrow.parquet

    try:
        return from_arrow(pyarrow.parquet.read_table(path))
    except (OSError, pa.ArrowException):
        return None


def is_kept(path: Path) -> bool:
    """Whether there are deals that `read_kept` may read."""
    return is_available() and path.is_file()


def keep(path: Path, deals: Deals) -> None:
    """Keep deals for a later command, where that is possible; if not, they are played again."""
    if is_available():
        with suppress(OSError, ConfigError):
            write_parquet(path, deals)
            _make_room(path.parent)


def _make_room(folder: Path) -> None:
    """Remove the oldest files while all together are too large."""
    files = sorted(folder.glob("*.parquet"), key=lambda path: path.stat().st_mtime)
    total = sum(path.stat().st_size for path in files)
    for path in files[:-1]:
        if total <= MOST_BYTES:
            return
        total -= path.stat().st_size
        path.unlink(missing_ok=True)


# --- files of users ------------------------------------------------------------------------------


def check_name(path: Path) -> None:
    """Check that `write` can write such a file.

    Raises:
        ConfigError: an unknown ending, no such folder, or Arrow is missing.
    """
    if path.suffix not in (".parquet", ".csv"):
        raise ConfigError(f"-o: must end in .parquet or .csv, got {path}.")
    if path.suffix == ".parquet":
        need("-o: a .parquet file")
    if not path.parent.is_dir():
        raise ConfigError(f"-o: {path} cannot be written: there is no folder {path.parent}.")


def write(path: Path, deals: Deals) -> None:
    """Write deals as the file's ending says.

    Raises:
        ConfigError: an unknown ending, Arrow is missing, or the file cannot be written.
    """
    check_name(path)
    if path.suffix == ".parquet":
        write_parquet(path, deals)
    else:
        _write_csv(path, deals)


def write_parquet(path: Path, deals: Deals) -> None:
    """Write deals as Parquet, whole or not at all.

    Raises:
        ConfigError: the system refuses.
    """
    import pyarrow.parquet

    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pyarrow.parquet.write_table(as_arrow(deals), temporary, compression="zstd")
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}.") from None


def _write_csv(path: Path, deals: Deals) -> None:
    """Write deals as CSV, their names first."""
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["deal", *deals])
            for row, name in enumerate(row_names(deals)):
                writer.writerow([str(name), *(column.at(row) for column in deals.values())])
    except OSError as error:
        raise ConfigError(f"-o: {path} cannot be written: {error.strerror or error}.") from None


def need(what: str) -> None:
    """Check that Arrow and DuckDB are installed.

    Raises:
        ConfigError: they are not; `what` begins the sentence.
    """
    if not is_available():
        raise ConfigError(f"{what} needs pyarrow and duckdb. {EXTRA}")


# --- SQL -----------------------------------------------------------------------------------------


def where(deals: Deals, condition: str) -> Deals:
    """The deals for which a condition in SQL holds, in their order.

    The condition sees the deals and nothing else: DuckDB may read no file, attach nothing, and run
    no second statement.

    Raises:
        ConfigError: DuckDB is missing, or the condition is none; a misspelt column is named.
    """
    need("--where")
    if not condition.strip():
        raise ConfigError("--where: is empty. A condition is like harm > 0.5.")
    import duckdb

    table = as_arrow(deals).append_column("row_number", [np.arange(size(deals))])
    base = duckdb.connect(":memory:")
    try:
        base.register("deals", table)
        for setting in (
            "python_enable_replacements = false",  # no variable of this program is a table
            "enable_external_access = false",
            "autoload_known_extensions = false",
            "lock_configuration = true",
        ):
            base.execute(f"SET {setting}")
        # `filter` parses one expression and nothing else; text put into a statement could end it.
        found = base.table("deals").filter(condition).project("row_number").order("row_number")
        rows = found.fetchnumpy()["row_number"]
    except duckdb.Error as error:
        raise ConfigError(f"--where: {_told(str(error), list(deals))}") from None
    finally:
        base.close()
    kept = np.asarray(rows, np.int64)
    return {name: DealColumn(c.values[kept], c.words) for name, c in deals.items()}


def _told(message: str, columns: list[str]) -> str:
    """What DuckDB says, in one line; a misspelt column with the nearest one."""
    first = visible(message.strip().splitlines()[0])
    if "Referenced column" in first:
        name = first.split('"')[1] if '"' in first else ""
        return f"unknown column '{name}'. {nearest(name, columns)}"
    return first.rstrip(".") + "."
