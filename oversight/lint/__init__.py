"""Lint of a KPI before any training: what it asks, how it can be gamed, what would repair it."""

from .check import lint
from .report import HIGH, MEDIUM, NOTE, SEVERITIES, ArmReport, LintFinding
from .text import DISCLAIMER, known_ways, report_lines

__all__ = [
    "DISCLAIMER",
    "HIGH",
    "MEDIUM",
    "NOTE",
    "SEVERITIES",
    "ArmReport",
    "LintFinding",
    "known_ways",
    "lint",
    "report_lines",
]
