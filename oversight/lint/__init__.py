"""Lint of a KPI before any training: what it asks, how it can be gamed, what would repair it."""

from .check import lint
from .report import HIGH, MEDIUM, NOTE, SEVERITIES, ArmReport, LintFinding
from .text import DISCLAIMER, report_lines

__all__ = [
    "DISCLAIMER",
    "HIGH",
    "MEDIUM",
    "NOTE",
    "SEVERITIES",
    "ArmReport",
    "LintFinding",
    "lint",
    "report_lines",
]
