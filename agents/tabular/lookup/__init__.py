"""Rounds that are looked up instead of played, with the same bits."""
