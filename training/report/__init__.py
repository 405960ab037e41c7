"""`tacit report`: one page about a run, for a file cabinet.

`contents.py` collects what the page says, from the run alone; `page.py` makes it HTML.
"""

from .contents import ReportContents, collect
from .page import html_page

__all__ = ["ReportContents", "collect", "html_page"]
