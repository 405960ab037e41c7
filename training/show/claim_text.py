"""Sentences about claims: what a seat says when something is so, and how informative that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tacit.emergence.claims import signalling
from tacit.emergence.claims.channels import Channel
from tacit.emergence.information import entropy, mutual_information
from tacit.emergence.population import FrozenPopulation

from .policy_table_text import action_text, value_text
from .wording import TAKEN_LITERALLY

DIGITS = 6  # to which rows of probabilities must agree to be one answer
NO_INFORMATION = 1e-6  # nats; a truth of less is always the same


def claim_sentences(population: FrozenPopulation, channel: Channel) -> Iterator[str]:
    """What a seat does by what is so, truths with one answer together; then how much it reveals."""
    role, claim = channel.seat.role, channel.claim
    joint = signalling.truth_and_action(population, channel)  # [truths, acts]
    truths = next(part for part in channel.sees if part.name == claim.about).values
    groups: dict[bytes, list[int]] = {}  # truths by their answer
    for t in np.flatnonzero(joint.sum(axis=1) > 0):
        answer = np.round(joint[t] / joint[t].sum(), DIGITS).tobytes()
        groups.setdefault(answer, []).append(int(t))
    for same in groups.values():
        probabilities = np.zeros(role.actions)
        acts = slice(channel.act, channel.act + channel.acts)
        probabilities[acts] = joint[same[0]] / joint[same[0]].sum()
        truth = _or([value_text(truths[t]) for t in same])
        yield f"When its {claim.about} is {truth}: {action_text(role, probabilities)}."
    said = signalling.merge_actions(joint, channel.said)  # [truths, messages]
    false = 1.0 - sum(said[t, t] for t in range(min(said.shape)))
    _, exact = signalling.observation_frequency(population, channel)
    name = claim.part.replace("_", " ")
    text = f"{TAKEN_LITERALLY}, its {name} is not true {false:.0%} of the time"
    text += "" if exact else " (counted)"
    known = entropy(joint.sum(axis=1))
    if known > NO_INFORMATION:
        text += f"; it tells {mutual_information(said) / known:.0%} of what it knows"
    yield f"{text}."


def _or(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
