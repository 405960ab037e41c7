"""Numba's cache of compiled loops on disk, made safe for processes that compile at the same time.

Numba numbers the files of one function's signatures (`name.1.nbc`, `name.2.nbc`): a process takes
the first number that its copy of the index leaves free. Two processes that compile two signatures
at once take the same number, and the index of one then leads to the machine code of the other,
which would read its arguments as other types (numba/core/caching.py, `IndexDataCacheFile.save`,
version 0.68). Here each file has a name that nobody else takes, and it is complete before the index
names it. What two processes write into the index at once may still lose one entry, which is then
compiled again. So is what cannot be read: files that a power failure cut short, or that a system's
error left empty.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

from numba.core.caching import FunctionCache, IndexDataCacheFile


class SeparateFiles(IndexDataCacheFile):  # type: ignore[misc]
    """An index, and a file of its own for the machine code of each signature."""

    def __init__(self, cache_path: str, filename_base: str, source_stamp: Any) -> None:
        super().__init__(cache_path, filename_base, source_stamp)
        self._base = filename_base

    def load(self, key: Any) -> Any:
        """What was kept for a signature; None where there is nothing that can be read."""
        with suppress(Exception):  # a pickle that was cut can raise anything
            return super().load(key)
        return None

    def save(self, key: Any, data: Any) -> None:
        """Keep what was compiled for a signature.

        Args:
            key: the signature, the processor and the function's bytecode.
            data: the machine code and its description.

        Raises:
            OSError: it cannot be written; the index is as it was.
        """
        name = f"{self._base}.{uuid.uuid4().hex}.nbc"
        self._save_data(name, data)
        self._save_index({**self._known(), key: name})

    def _known(self) -> dict[Any, str]:
        """The index: names of files by signature."""
        with suppress(Exception):
            index: dict[Any, str] = self._load_index()
            return index
        return {}


class LoopCache(FunctionCache):  # type: ignore[misc]
    """The cache of one loop: in the folder beside its generated file, as Numba's own."""

    def __init__(self, py_func: Any) -> None:
        super().__init__(py_func)
        stamp = self._impl.locator.get_source_stamp()
        self._cache_file = SeparateFiles(self._cache_path, self._impl.filename_base, stamp)
