"""Adopters of one vendor's software: do their prices rise with their number, and what that says."""
