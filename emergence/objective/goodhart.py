"""The Goodhart gap: what following a KPI costs in the fundamental it stands for.

    gap = (fundamental under itself as KPI - fundamental under this KPI) / |the former|

per seed; a share, without a unit. `tacit.training.outcome.goodhart` finds the two arms of a run.
"""

from __future__ import annotations

from collections.abc import Sequence


def goodhart_gap(reference: Sequence[float], own: Sequence[float]) -> list[float]:
    """Per seed, the share lost of what the same seed has with the fundamental as KPI.

    Args:
        reference: the fundamental per seed with the fundamental as KPI.
        own: the fundamental per seed under another KPI; further seeds of either are left out.

    Returns:
        One share per seed; NaN where the reference is 0.
    """
    return [
        (before - after) / abs(before) if before else float("nan")
        for before, after in zip(reference, own, strict=False)
    ]
