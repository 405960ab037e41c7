"""The incentive card of an arm: what its agents are paid for, and what is not known of it.

Headings follow Reward Reports (Gilbert and others, Reward Reports for Reinforcement Learning, arXiv
2204.10817): objective, oversight metrics, update triggers, recourse, limitations, changelog. What
can be computed is computed; a heading that is empty says that it is, and why. Nothing here reads a
run or writes a file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from tacit.agents.policy import PolicyTable, table_hash
from tacit.agents.vendor import Vendors
from tacit.emergence.registry import CONTROLS, PROBES, Control, Probe, inapplicable
from tacit.envs import kpi as kpis
from tacit.envs.market import Market, Seat

from .observed_data import observed_data

FORM = "tacit incentive card 1"
WORDING = (
    "fields modelled on articles 12-14 of the EU AI Act and articles 5-18 of RTS 6; this is "
    "neither a conformity assessment nor legal advice"
)
NOT_EXAMINED = "empty: not examined: run tacit lint"
NO_OWNER = "empty: nobody is named as its owner"
NO_TRIGGERS = "empty: none in force; nothing stops, changes or rolls back training by itself"
NOT_TRAINED = "empty: nothing is trained yet"
NO_HISTORY = "empty: nothing was trained under this arm yet"
RECOURSE = (
    "before and between runs: whoever may write the run's folder; while it trains: the user who "
    "trains pauses, steps and stops every seed within a round, overrides a deal of a seed that is "
    "held, and changes KPI, market or state from then on (tacit ctl, Ctrl-C); nothing is lost"
)
WORDS_NEED = 48  # repetitions that most rules of words need

Seeds = Mapping[str, Mapping[str, str]]  # `s0` -> seat -> SHA-256 of its policy


def build_card(
    market: Market,
    kpi: kpis.KpiTable,
    seeds: int,
    *,
    known_ways: Sequence[str] = (),
    triggers: Sequence[str] = (),
    limitations: Sequence[str] = (),
    policies: Seeds | str = NOT_TRAINED,
    changelog: Sequence[Mapping[str, str]] = (),
    validated: Mapping[str, str] | None = None,
    vendors: Vendors = (),
) -> dict[str, Any]:
    """The card of an arm.

    Args:
        market: what is played.
        kpi: what every seat is paid for.
        seeds: repetitions of the arm.
        known_ways: known ways to game the objective, as `tacit lint` found them.
        triggers: the breakers in force, in words.
        limitations: what the arm's agents keep a run from saying, beside what every card lists.
        policies: SHA-256 of every trained policy, by repetition and seat; or why there are none.
        changelog: `changes` of the run's ledger.
        validated: who validated it, `by`, `date`, `expires`, `owner`, `reason`, `key`; or nobody.
        vendors: seats that share what they learn or are paid for; the card has the key `vendors`
            if there are any.
    """
    owner = validated.get("owner", "") if validated else ""
    card: dict[str, Any] = {
        "form": FORM,
        "wording": WORDING,
        "kpi_hash": kpis.kpi_hash(kpi),
        "validated_by": dict(validated) if validated else None,
        "owner": owner or NO_OWNER,
        "seats": {
            seat: {
                "words": f"{seat} {kpis.sentence(terms)}",
                "terms": {name: term.model_dump() for name, term in terms.items()},
                "fundamental": market.seat(seat).role.fundamental,
            }
            for seat, terms in kpi.items()
        },
        "known_ways_to_game_it": list(known_ways) or NOT_EXAMINED,
        "oversight_metrics": _metrics(market, kpi),
        "update_triggers": list(triggers) or NO_TRIGGERS,
        "recourse": RECOURSE,
        "limitations": [*_limitations(market, kpi, seeds), *limitations],
        "changelog": [dict(change) for change in changelog] or NO_HISTORY,
        "policies": policies if isinstance(policies, str) else _holders(policies),
        "observes": observed_data(market),
    }
    if vendors:
        card["vendors"] = {
            vendor.name: {**vendor.plain, "words": vendor.words} for vendor in vendors
        }
    return card


def seats_with_one_policy(
    vendors: Vendors, policies: Sequence[Mapping[str, str]]
) -> dict[str, dict[str, Any]]:
    """By vendor, in how many repetitions its seats hold one policy, and which ones these are.

    Args:
        vendors: of an arm.
        policies: of every repetition: SHA-256 by seat, of tables read own-first.

    Returns:
        `repetitions` (how many, of how many) and `held_by`: SHA-256 of a policy -> the seats of the
        vendor that hold it, as `s0/provider_1`, where these are two or more.
    """
    found: dict[str, dict[str, Any]] = {}
    for vendor in vendors:
        held: dict[str, list[str]] = {}
        for k, own in enumerate(policies):
            for seat in vendor.seats:
                held.setdefault(own[seat], []).append(f"s{k}/{seat}")
        whole = sum(len({own[seat] for seat in vendor.seats}) == 1 for own in policies)
        found[vendor.name] = {
            "repetitions": f"{whole} of {len(policies)}",
            "held_by": {digest: seats for digest, seats in held.items() if len(seats) > 1},
        }
    return found


def policy_hashes(
    seats: Sequence[Seat], tables: Sequence[PolicyTable], unknown: Sequence[str] = ()
) -> dict[str, str]:
    """SHA-256 of every seat's policy, without exploration.

    Args:
        seats: the market's seats.
        tables: their policies, float64 `[O, A]` each; hashed are the shape and the rows' bytes,
            little-endian.
        unknown: names of seats whose policies are not known, which have no hash.
    """
    pairs = zip(seats, tables, strict=True)
    return {seat.name: table_hash(table) for seat, table in pairs if seat.name not in unknown}


def terms_hash(terms: Mapping[str, Any]) -> str:
    """The KPI hash of terms by seat, as cards hold them; the same as `kpi.kpi_hash` of the KPI."""
    text = json.dumps(terms, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def changes(entries: Sequence[Mapping[str, Any]], arm: str) -> list[dict[str, str]]:
    """Which KPIs an arm was trained under, in order, by the ledger of its run.

    Args:
        entries: the ledger.
        arm: the arm's name.

    Returns:
        For each change `from` and `to` (KPI hashes), `since`, and whether it was `re-tested`:
        whether training under the new KPI has begun again from nothing. Agents that were trained
        under another KPI are never taken over within an arm, so it always has; the entry says by
        which act.
    """
    found: list[dict[str, str]] = []
    for entry in entries:
        hashes = entry.get("kpi_hashes")
        own = hashes.get(arm) if isinstance(hashes, Mapping) else None
        if entry.get("act") != "training started" or not isinstance(own, str):
            continue
        before = found[-1]["to"] if found else "nothing"
        if own != before:
            retested = f"trained anew under it (ledger entry {entry.get('n')})"
            found.append({"from": before, "to": own, "since": str(entry.get("time")),
                          "re-tested": retested})  # fmt: skip
    return found


def _metrics(market: Market, kpi: kpis.KpiTable) -> dict[str, Any] | str:
    """Figures that are taken of the arm, by probe or control."""
    every: list[Probe | Control] = [*PROBES.values(), *CONTROLS.values()]
    applies = {p.name: sorted(p.figures) for p in every if p.applies(market, kpi)}
    return applies or "empty: no probe applies to this market"


def _limitations(market: Market, kpi: kpis.KpiTable, seeds: int) -> list[str]:
    """What the card cannot say, and what was not examined."""
    lines = [
        "behaviour in a simulation: nothing is known of agents, data or people outside it",
        "not examined: agents trained elsewhere, KPIs that change while agents learn",
    ]
    if seeds < WORDS_NEED:
        lines.append(f"{seeds} repetitions: most words about behaviour need {WORDS_NEED}")
    reasons: dict[str, list[str]] = {}
    for probe, reason in inapplicable(market, kpi).items():
        reasons.setdefault(reason, []).append(probe)
    lines += [f"not examined: {', '.join(names)}: {reason}" for reason, names in reasons.items()]
    return lines


def _holders(policies: Seeds) -> dict[str, Any]:
    """Every policy by its hash, with all seats that hold it."""
    held: dict[str, list[str]] = {}
    for seed, seats in policies.items():
        for seat, digest in seats.items():
            held.setdefault(digest, []).append(f"{seed}/{seat}")
    shared = {digest: seats for digest, seats in held.items() if len(seats) > 1}
    count = f"{len(held)} policies, {len(shared)} of them held by more than one seat"
    return {"count": count, "held_by": held}
