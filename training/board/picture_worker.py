"""A process that draws plots of arms: `python -m tacit.training.board.picture_worker`.

Its parent is `picture_process.py`. It answers a line of JSON on standard input, `{"arm": "calm",
"measures": {...}}`, by one on standard output, `{"pictures": {"impulse_response": {"png": "...",
"width": 600, "height": 400}}}`, or by `{"pictures": null}` where they cannot be drawn here. It ends
with its standard input.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from contextlib import suppress
from typing import Any

from .plots import Picture, draw_plots


def main() -> None:
    """Draw what the parent asks for until it closes standard input."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    # What libraries print goes to standard error instead.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with suppress(BrokenPipeError):
        for line in sys.stdin:
            if not line.endswith("\n"):
                return  # the parent was killed while it wrote
            print(json.dumps({"pictures": _drawn(json.loads(line))}), file=answers, flush=True)


def _drawn(request: dict[str, Any]) -> dict[str, Any] | None:
    """The pictures that a request asks for, as JSON can hold them; None after any mistake, which
    the parent then makes itself and tells."""
    try:
        return {name: plain(p) for name, p in draw_plots(**request).items()}
    except Exception:
        return None


def plain(picture: Picture) -> dict[str, Any]:
    """A picture as JSON can hold it."""
    png = base64.b64encode(picture.png).decode("ascii")
    return {"png": png, "width": picture.width, "height": picture.height}


if __name__ == "__main__":
    main()
