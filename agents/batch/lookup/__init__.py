"""Rollouts whose rounds are looked up in a transition table instead of played."""
