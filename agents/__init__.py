"""Agents: everything that acts is a policy table; learners write theirs."""
