"""The command line."""

from .cli import app, main

__all__ = ["app", "main"]
