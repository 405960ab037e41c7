"""What happened in a run, played again: `SeedReplay`, tables of deals, verification."""

from .replay import SeedReplay

__all__ = ["SeedReplay"]
