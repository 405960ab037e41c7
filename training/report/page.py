"""The report as one HTML file that needs nothing else: no script, no network, no other file.

Whatever came from a file or a user is escaped by the template engine, and codes that steer a
terminal are written out before (`tacit.training.plain_text.visible`): the one exit to HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from tacit.training.plain_text import visible

from .contents import ReportContents

TEMPLATE = "page.html.j2"


def html_page(contents: ReportContents) -> str:
    """The page; nothing in it loads anything."""
    engine = Environment(autoescape=True, undefined=StrictUndefined)
    engine.filters["v"] = lambda value: visible(str(value))
    engine.globals["columns"] = columns
    text = files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8")
    return engine.from_string(text).render(r=contents)


def columns(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """The columns of a table, in the order in which rows bring them."""
    return list(dict.fromkeys(name for row in rows for name in row))
