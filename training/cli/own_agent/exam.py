"""`tacit exam`."""

from __future__ import annotations


def exam(agent: str) -> None:
    """Examine a bot."""
    raise NotImplementedError(agent)
