"""Code of users: their markets, and the files in which they register what is theirs.

    @tacit.register_market                             # in Python, or in a file my_market.py
    class Lemonade(Market): ...

    export TACIT_PLUGINS=my_market.py                  # for the command line

A market of an installed package needs neither: `tacit.envs.registry` finds it by its entry point.

`TACIT_PLUGINS` lists Python files or modules, separated like a path list (`:`, on Windows `;`). The
command line and its worker processes import them (`loading.py`); importing registers markets
(`registering.py`), agents (`tacit.register_agent`) and probes (`tacit.register_probe`). Only this
variable and Python code name such files. A run folder never does: reading a run that somebody else
made executes none of its maker's code, beside what is installed here already.

Processes that train networks import what their parent has registered in Python (`hand_over`).
"""

from .loading import HANDED_OVER, VARIABLE, hand_over, load_plugins
from .registering import REMEMBERED, register_market, remember

__all__ = [
    "HANDED_OVER",
    "REMEMBERED",
    "VARIABLE",
    "hand_over",
    "load_plugins",
    "register_market",
    "remember",
]
