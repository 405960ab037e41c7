"""An exam as one HTML file that needs nothing else: no script, no network, no other file.

Whatever came from a file or a user is escaped by the template engine, and codes that steer a
terminal are written out before, as in the report of a run.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from tacit.training.plain_text import visible

from .exam_text import HOLDS, kpi_text
from .examine import Exam

TEMPLATE = "exam.html.j2"


def exam_page(exam: Exam, figures: Mapping[str, bytes], made: str) -> str:
    """The page; nothing in it loads anything.

    Args:
        exam: what is shown.
        figures: pictures as PNG, by title.
        made: when the exam was made, UTC.
    """
    engine = Environment(autoescape=True, undefined=StrictUndefined)
    engine.filters["v"] = lambda value: visible(str(value))
    engine.filters["of_kpi"] = kpi_text
    columns = list(dict.fromkeys(name for row in exam.rows for name in row))
    text = files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8")
    pictures = {title: base64.b64encode(png).decode("ascii") for title, png in figures.items()}
    return engine.from_string(text).render(
        e=exam, columns=columns, figures=pictures, made=made, holds=HOLDS
    )
