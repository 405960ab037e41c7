"""Entropy and mutual information in nats (Shannon 1948)."""

from __future__ import annotations

import numpy as np

from tacit.envs.types import Floats


def entropy(p: Floats) -> float:
    """H = -sum p ln p of probabilities `p` float64 `[.]`, with 0 ln 0 = 0."""
    positive = p[p > 0]
    return float(-(positive * np.log(positive)).sum())


def mutual_information(p: Floats) -> float:
    """I(x; y) = H(x) + H(y) - H(x, y) of joint probabilities `p` float64 `[X, Y]`."""
    return entropy(p.sum(axis=1)) + entropy(p.sum(axis=0)) - entropy(p.ravel())
