"""Whether trips of an arm's breakers follow from what its repetitions have read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tacit.training.config.arms import Arm
from tacit.training.config.breaker_settings import ARM, ROLLBACK

from .points import Given, given_from


def wrong_means(arm: Arm, records: Mapping[int, Mapping[str, Any]]) -> Iterator[tuple[int, str]]:
    """Trips whose value is not the mean over the repetitions that came to their point.

    Args:
        arm: as it was configured.
        records: of all its repetitions; nothing is found where one is missing.

    Yields:
        The repetition, and what does not fit.
    """
    if not arm.has_arm_breakers or len(records) < arm.seeds:
        return
    try:
        every = {k: _given(record) for k, record in records.items()}
    except (LookupError, TypeError, ValueError) as error:
        yield 0, f"what was read at the points of the arm cannot be read ({error!r})"
        return
    for k, record in sorted(records.items()):
        generation = 0
        for trip in record.get("trips", []):
            if trip.get("scope") != ARM:
                continue
            values = [
                own[generation].values[place].get(trip["breaker"])
                for _, own in sorted(every.items())
                if generation < len(own)
                and (place := own[generation].place(trip["point"])) is not None
            ]
            known = [x for x in values if x is not None]
            if len(known) != trip["seeds"] or sum(known) / max(1, len(known)) != trip["value"]:
                at = f"breaker {trip['breaker']} at round {trip['point']}"
                yield k, f"the mean at the trip of {at} is not that of the seeds' readings"
            generation += trip["action"] == ROLLBACK


def _given(record: Mapping[str, Any]) -> list[Given]:
    return [given_from(own) for own in record["arm_points"]["given"]]
