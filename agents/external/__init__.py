"""Agents that are not tacit's own: bots behind a door, and policies kept as files."""
