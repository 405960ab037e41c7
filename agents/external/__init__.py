"""Agents that tacit did not teach: policies from files, and bots behind doors."""
