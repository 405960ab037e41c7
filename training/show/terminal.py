"""The terminal: a console, and tables that fit its width."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from tacit.training.plain_text import visible

WIDTH = 500  # characters of a line of text that does not go to a terminal
PAGE = 100  # characters of a table that does not go to a terminal, unless a wide one is asked for
FOLDED = 48  # characters; columns that are wider are folded
GAP = 2  # characters between columns
BESIDE = ("95 %", "n")  # columns that stay beside the one before them, which they qualify


class SafeConsole(Console):
    """A console that writes out codes in the text that it is given, and prints its own.

    Attributes:
        table_width: the most characters of a table's line; None: those of the console.
    """

    table_width: int | None = None

    def print(self, *objects: Any, **options: Any) -> None:
        """`Console.print`, with texts made visible."""
        super().print(*(visible(x) if isinstance(x, str) else x for x in objects), **options)


def console(stderr: bool = False, wide: bool = False) -> SafeConsole:
    """A console.

    Args:
        stderr: it writes to standard error.
        wide: tables stay in one piece also where nobody knows how wide the page is (in a file or a
            pipe); else they have at most 100 characters a line there.
    """
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else WIDTH
    # No markup: brackets and colons in a user's text are printed as they are.
    found = SafeConsole(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)
    found.table_width = PAGE if width and not wide else None
    return found


@dataclass(frozen=True)
class TextTable:
    """Rows of cells as a plain table, which Rich's console prints.

    Where the page is too narrow, columns that do not fit go into a second table below, and so on,
    each table with the first column. Only columns of long text are folded.

    Attributes:
        rows: text by column; a missing cell is blank.
        title: a line above the table.
    """

    rows: Sequence[Mapping[str, str]]
    title: str | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        if isinstance(console, SafeConsole) and console.table_width is not None:
            width = min(width, console.table_width)
        options = options.update_width(width)
        for k, names in enumerate(self.pages(width)):
            if k:
                yield ""
            elif self.title:
                yield Text(visible(self.title), style="bold")
            table = Table(box=None, pad_edge=False)
            for name in names:
                table.add_column(
                    visible(name), overflow="fold", no_wrap=self._width(name) <= FOLDED
                )
            for row in self.rows:
                table.add_row(*(visible(row.get(name, "")) for name in names))
            yield from console.render(table, options)

    def pages(self, width: int) -> list[list[str]]:
        """The columns of every table, so that none is wider than the page if that can be.

        Args:
            width: of the page, in characters.
        """
        first, *others = list(dict.fromkeys(k for row in self.rows for k in row)) or [""]
        groups: list[list[str]] = []  # columns that stay together
        for name in others:
            if name in BESIDE and groups:
                groups[-1].append(name)
            else:
                groups.append([name])
        pages, room = [[first]], width - self._need(first)
        for group in groups:
            need = sum(GAP + self._need(name) for name in group)
            if need > room and len(pages[-1]) > 1:
                pages.append([first])
                room = width - self._need(first)
            pages[-1] += group
            room -= need
        return pages

    def _width(self, name: str) -> int:
        """Characters of a column's longest cell."""
        return max([len(name), *(len(row.get(name, "")) for row in self.rows)])

    def _need(self, name: str) -> int:
        """The width that a column asks for; half of the widest that is not folded if it is."""
        return self._width(name) if self._width(name) <= FOLDED else FOLDED // 2
