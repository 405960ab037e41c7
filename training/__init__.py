"""Training: configs, runs, checkpoints, TensorBoard, comparisons, the command line.

from tacit.training import train
"""

from __future__ import annotations

from typing import Any

__all__ = ["train"]


def __getattr__(name: str) -> Any:
    """`train`, imported on first use, so that `tacit --help` imports none of the numerics."""
    if name == "train":
        from .runs.runner import train

        return train
    raise AttributeError(f"module 'tacit.training' has no attribute '{name}'")
