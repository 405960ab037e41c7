"""Text that came from a file or a user, made safe to print: the one exit to a terminal.

A name or a header may hold codes that move the cursor, change the window's title or turn the
direction of text. Everything that is printed goes through `visible`, which writes them out: plain
lines by `say`, tables and lines of Rich by `terminal.console`, TensorBoard's pages by
`EventFile.text`. JSON and YAML escape by themselves.
"""

from __future__ import annotations

import sys
import unicodedata

KEPT = "\n\t"


def visible(text: str) -> str:
    """The text with every character that is not printed written as an escape: `\\x1b`.

    Line feeds, tabs and spaces of every width stay; so does every letter of every script.
    """
    if text.isprintable():
        return text
    return "".join(c if _is_harmless(c) else _escape(c) for c in text)


def say(text: str, is_error: bool = False, end: str = "\n") -> None:
    """Print a line, at once; with another `end`, the beginning of one."""
    print(visible(text), end=end, file=sys.stderr if is_error else sys.stdout, flush=True)


def _is_harmless(character: str) -> bool:
    return character.isprintable() or character in KEPT or unicodedata.category(character) == "Zs"


def _escape(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
