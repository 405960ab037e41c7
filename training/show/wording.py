"""Phrases that mean the same wherever a policy or a deal is put into words."""

from __future__ import annotations

TAKEN_LITERALLY = "Taken literally"  # a claim, whatever players make of it
SAME_LUCK = "with the same luck"  # every draw as it was; the others answer what they then see


def saying_text(name: str, said: str, about: str, so: str, share: float) -> str:
    """How often a claim is made when something is so.

    Args:
        name: of the claim.
        said: its value.
        about: what it is about.
        so: the true value.
        share: of the decisions in which it is so, those in which this is claimed.
    """
    return f"When its {about} is {so}, {share:.0%} of the time its {name} is {said}."
