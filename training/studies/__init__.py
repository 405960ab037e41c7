"""Comparisons, reproductions, best responses, figures."""
