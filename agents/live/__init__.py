"""Agents that answer while others learn: every decision of theirs is asked for when it is due.

- `answers`: one answer, who gives it, and the file in which a repetition's answers are kept
- `group`: a group with such agents in some seats
"""
