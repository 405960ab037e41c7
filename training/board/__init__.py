"""TensorBoard: event files, pages of a run, bands over seeds, plots, verdicts, the server.

Knows configurations and paths; `runs/` writes through it. Names are imported when they are first
used: words for the terminal need neither TensorBoard nor Matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .arm_session import write_arm_session
    from .bands import write_bands
    from .event_file import EventFile, event_files
    from .plots import PLOTS, Picture, draw_plots
    from .read_scalars import read_scalars
    from .run_pages import write_run_pages
    from .verdict_text import verdict_lines, verdict_page, write_verdicts

__all__ = [
    "PLOTS",
    "EventFile",
    "Picture",
    "draw_plots",
    "event_files",
    "read_scalars",
    "verdict_lines",
    "verdict_page",
    "write_arm_session",
    "write_bands",
    "write_run_pages",
    "write_verdicts",
]

_HOME = {
    "EventFile": "tacit.training.board.event_file",
    "PLOTS": "tacit.training.board.plots",
    "Picture": "tacit.training.board.plots",
    "draw_plots": "tacit.training.board.plots",
    "event_files": "tacit.training.board.event_file",
    "read_scalars": "tacit.training.board.read_scalars",
    "verdict_lines": "tacit.training.board.verdict_text",
    "verdict_page": "tacit.training.board.verdict_text",
    "write_arm_session": "tacit.training.board.arm_session",
    "write_bands": "tacit.training.board.bands",
    "write_run_pages": "tacit.training.board.run_pages",
    "write_verdicts": "tacit.training.board.verdict_text",
}


def __getattr__(name: str) -> Any:
    """A name of `__all__`, imported when it is first used.

    Raises:
        AttributeError: any other name.
    """
    if name not in _HOME:
        raise AttributeError(f"module 'tacit.training.board' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
