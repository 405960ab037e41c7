"""TensorBoard: event files, pages of a run, bands over seeds, plots, verdicts, the server.

Knows configurations and paths; `runs/` writes through it.
"""

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
