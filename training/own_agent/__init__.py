"""Policies as files, and an examination of any bot that comes down to one.

- `export`: what a seat learned, as a policy file
"""
