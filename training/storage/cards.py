"""incentives.json: the incentive card of every arm of a run (`tacit.oversight.card`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tacit.agents.external.config import what_it_runs
from tacit.oversight import ledger as ledgers
from tacit.oversight.card import NOT_TRAINED, Seeds, build_card, changes, seats_with_one_policy
from tacit.training.config.arms import Arm, live_reason
from tacit.training.trust.live_doors import NO_PROMISE

from .atomic_files import read_json, write_json
from .run_folder import RunFolder
from .seals import Sealer
from .signature_files import signed_cards, validations

POLICIES = "policies_sha256"  # in a repetition's record
NO_HASHES = "empty: trained by a version that kept no hashes of policies"

Record = Mapping[str, Any]  # a repetition's


def first_card(arm: Arm, known_ways: Sequence[str] = ()) -> dict[str, Any]:
    """The card of an arm that is not trained yet."""
    return build_card(
        arm.market,
        arm.kpi,
        arm.seeds,
        known_ways=known_ways,
        triggers=_triggers(arm),
        limitations=_limitations(arm),
        vendors=arm.vendors,
    )


def _triggers(arm: Arm) -> list[str]:
    """An arm's breakers, in words."""
    return [f"breaker {name}: {breaker.sentence}" for name, breaker in arm.breakers.items()]


def _limitations(arm: Arm) -> list[str]:
    """What an arm's own agents keep a run from saying."""
    if not arm.live:
        return []
    agents = [f"{seat}: {what_it_runs(arm.agents[seat])}" for seat in arm.live]
    return [f"live agents ({'; '.join(agents)}): {NO_PROMISE}", live_reason(arm.live)]


def is_card_of(card: object, arm: Arm) -> bool:
    """Whether a card is about this arm's KPI."""
    return isinstance(card, Mapping) and card.get("kpi_hash") == arm.kpi_hash


def write_cards(
    run: RunFolder,
    arms: Mapping[str, Arm],
    records: Mapping[str, Sequence[Record]],
    sealer: Sealer,
    ways: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Write the cards of arms anew, if anything in them has changed.

    Args:
        run: the run, whose lock is held.
        arms: whose cards are written; those of others stay.
        records: of every repetition of the arms that are trained, in order.
        sealer: records and seals what is written.
        ways: as `run_cards` takes them.
    """
    known = read_json(run.incentives)
    cards = known | run_cards(run, arms, records, ways)
    if cards != known:
        sealer.open()
        write_json(run.incentives, cards)
        sealer.files(run.incentives)


def run_cards(
    run: RunFolder,
    arms: Mapping[str, Arm],
    records: Mapping[str, Sequence[Record]],
    ways: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, dict[str, Any]]:
    """The cards of arms, with what the run says of their training and validation.

    Args:
        run: the run.
        arms: whose cards.
        records: of every repetition of the arms that are trained, in order.
        ways: known ways to game the objective, by arm; of other arms those of an earlier card of
            the same KPI stay, or those that were signed.
    """
    known, ways = read_json(run.incentives), ways or {}
    entries = ledgers.read(run.ledger) if run.ledger.exists() else []
    validated, signed = validations(run, arms, entries), signed_cards(run, entries)
    return {
        name: build_card(
            arm.market,
            arm.kpi,
            arm.seeds,
            known_ways=ways.get(name)
            or _known_ways(known.get(name), arm)
            or _known_ways(signed.get(name), arm),
            triggers=_triggers(arm),
            limitations=_limitations(arm),
            policies=_policies(records[name]) if name in records else NOT_TRAINED,
            changelog=changes(entries, name),
            validated=validated.get(name),
            vendors=arm.vendors,
        )
        for name, arm in arms.items()
    }


def held_policies(
    arms: Mapping[str, Arm], records: Mapping[tuple[str, int], Record]
) -> dict[str, Any]:
    """By arm with vendors, which seats hold one policy at the end, for the ledger; else nothing."""
    found = {
        name: seats_with_one_policy(
            arm.vendors, [records[name, k][POLICIES] for k in range(arm.seeds)]
        )
        for name, arm in arms.items()
        if arm.vendors and all(POLICIES in records[name, k] for k in range(arm.seeds))
    }
    return {"seats_that_hold_one_policy": found} if found else {}


def _known_ways(card: object, arm: Arm) -> list[str]:
    """The ways to game this KPI that an earlier card of it holds."""
    ways = card.get("known_ways_to_game_it") if isinstance(card, Mapping) else None
    if not is_card_of(card, arm) or not isinstance(ways, list):
        return []
    return [str(way) for way in ways]


def _policies(records: Sequence[Record]) -> Seeds | str:
    """SHA-256 of policies by repetition and seat, or why there are none."""
    found = {f"s{k}": record.get(POLICIES) for k, record in enumerate(records)}
    policies = {seed: own for seed, own in found.items() if isinstance(own, Mapping)}
    return policies if len(policies) == len(found) else NO_HASHES
