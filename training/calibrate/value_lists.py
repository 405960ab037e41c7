"""Lists of equally likely values that stand for a sample, as a market's keys hold them."""

from __future__ import annotations

import numpy as np

from tacit.envs.types import Floats

# Odd multiples of 5, see `quantile_list`.
SEEN = 5  # entries of a list that players see: every entry makes their tables larger
UNSEEN = 15  # entries of a list that no player sees


def quantile_list(values: Floats, count: int) -> Floats:
    """A list of equally likely entries in place of a sample: the quantiles (k + 1/2)/count.

    With `count` an odd multiple of 5, the list's quantiles at 10, 50 and 90 % are the sample's, as
    each of these lies in the middle of an entry's probability. A list of more than 5 ends in the
    mean of the sample's highest 1/count, whose middle would cut a long tail.

    Args:
        values: the sample, float64 `[n]`.
        count: how many entries.

    Returns:
        The entries, ascending, float64 `[count]`.
    """
    entries: Floats = np.quantile(values, (np.arange(count) + 0.5) / count)
    if count > SEEN:
        entries[-1] = values[values >= np.quantile(values, 1 - 1 / count)].mean()
    return entries


def whole_numbers(values: Floats, least: int = 0) -> list[int]:
    """Float64 `[n]` rounded to whole numbers, halves up; none below `least`."""
    return [max(least, int(np.floor(v + 0.5))) for v in values]


def significant(values: Floats, digits: int) -> list[float]:
    """Float64 `[n]` rounded to so many significant digits."""
    return [float(f"{v:.{digits}g}") for v in values]
