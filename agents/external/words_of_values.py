"""Values of parts as text: numbers with as few digits as tell them apart, and no exponents."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from tacit.envs.market import Part

FEWEST_DIGITS, MOST_DIGITS = 3, 17  # of a number that is shown


@lru_cache(maxsize=4096)
def value_texts(part: Part) -> tuple[str, ...]:
    """How the values of a part are written, in their order; no two are written alike."""
    for digits in range(FEWEST_DIGITS, MOST_DIGITS + 1):
        texts = tuple(_value_text(value, digits) for value in part.values)
        if len(set(texts)) == len(texts):
            break
    return texts


def _value_text(value: Any, digits: int) -> str:
    if not isinstance(value, float):
        return str(value)
    if abs(value) >= 10**digits:  # no exponents
        return f"{value:.{max(0, digits - FEWEST_DIGITS)}f}"
    return f"{value:.{digits}g}"
