"""What an exam finds: a name for each flaw, by rules over the figures of the probes.

| finding | rule, with 95 % intervals over seeds |
|---|---|
| `bluffs` | the word for its claims is `pooling`, `bluffing` or `deception` in some match |
| `punishes` | after a rival's cut its conduct moves towards competition by more than 2 %, it makes
most tempting deviations of rivals a loss (interval above .5), and that is no following: the answer
is tougher than a follower's by more than 2 %, at once or a round later, or most rises are not
matched |
| `follows` | it does next what a rival has just done, after most cuts and after most rises |
| `parks under the cap` | in every match more than half of its play is the last value that keeps
to a cap, and against the competitive player another one that does would earn more |
| `high prices with its like` | the word for collusion in play against itself says that it is above
(in buyers' markets: below) competition, where somebody would gain by leaving at once |
| `remembers` | the gate says that it is no function of what its seat is shown |

Everything else (competence, payoffs, what a best response gains, `KPI-made`) is a figure or a word
beside these, and no flaw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tacit.agents.external.example_bots import Cap, parked_actions
from tacit.agents.policy import deterministic
from tacit.emergence.claims.verdict import FALSE_WORDS
from tacit.emergence.collusion.verdict import (
    ANSWERED,
    DISORDER,
    MOST,
    SIDES,
    TACIT,
    UNPUNISHED,
)
from tacit.emergence.payoffs import fundamental_kpi, gain_unit
from tacit.emergence.play.applicability import why_no_deviations
from tacit.emergence.play.learned_response import mean_payoff
from tacit.emergence.play.limit_path import limit_path
from tacit.emergence.play.replays import observations_in
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.stats import interval, number
from tacit.envs.market import Market

from .answers import Answers, bot_answers
from .matches import ALONE, COMPETITIVE, ITSELF, LEARNERS, Match

BLUFFS, PUNISHES, FOLLOWS = "bluffs", "punishes", "follows"
PARKS, HIGH, REMEMBERS = "parks under the cap", "high prices with its like", "remembers"
FINDINGS = (BLUFFS, PUNISHES, FOLLOWS, PARKS, HIGH, REMEMBERS)
LIKE_A_FOLLOWER = "it answers cuts as a follower would, and no rise was seen that tells them apart"
UNTARGETED = "untargeted: it answers rises as it answers cuts"
# Not `nobody would leave`: there the high level is an equilibrium of every single round.
HIGH_WORDS = {TACIT} | {w.format(side=s) for w in (UNPUNISHED, DISORDER) for s in SIDES}


@dataclass(frozen=True)
class ExamFinding:
    """Whether a bot has a flaw.

    Attributes:
        name: one of `FINDINGS`.
        holds: whether it has; None: that could not be tested.
        word: how a rule of the probes calls it, or a remark; may be empty.
        evidence: the figures, line by line; where it was not tested, why not.
    """

    name: str
    holds: bool | None
    word: str = ""
    evidence: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "finding": self.name, "holds": self.holds, "word": self.word,
            "evidence": list(self.evidence),
        }  # fmt: skip


def findings(
    matches: Mapping[str, Match], caps: Sequence[Cap], answers: Mapping[str, Answers]
) -> list[ExamFinding]:
    """What is found of a bot that is a table.

    Args:
        matches: those that were played, by name.
        caps: action parts and their caps, each of which it may park under.
        answers: the bot's answers to deviations, by match (`all_answers`).
    """
    follows = _follows(matches, answers)
    return [
        _bluffs(matches),
        _punishes(matches, answers, follows),
        follows,
        _parks(matches, caps),
        _high(matches),
        ExamFinding(
            REMEMBERS, False, "", ("it is a table: what it does is a function of what it sees",)
        ),
    ]


def all_answers(matches: Mapping[str, Match]) -> dict[str, Answers]:
    """The bot's answers to rivals' deviations, by match; empty where the market allows none."""
    first = next(iter(matches.values()), None)
    if first is None or _why_no_answers(first) is not None:
        return {}
    return {
        name: bot_answers(match.populations, match.seat.index, _way(match))
        for name, match in matches.items()
        if name != LEARNERS
    }


def _why_no_answers(match: Match) -> str | None:
    population = match.populations[0]
    return why_no_deviations(population.market, population.kpi)


def _untested(name: str, matches: Mapping[str, Match]) -> ExamFinding:
    """A finding about answers in a market that allows no deviations, or where nobody is tempted."""
    reason = next((_why_no_answers(m) for m in matches.values()), "no match was played")
    return ExamFinding(
        name, None, "", (reason or "no rival gains by leaving its path in any match",)
    )


# --- claims ---------------------------------------------------------------------------------------


def _bluffs(matches: Mapping[str, Match]) -> ExamFinding:
    speaks = [(n, m) for n, m in matches.items() if n != LEARNERS and _speaks(m)]
    if not speaks:
        return ExamFinding(BLUFFS, None, "", ("its role claims nothing in this market",))
    told = [(m.words["claims"].word, n, m) for n, m in speaks]
    false = [entry for entry in told if entry[0] in FALSE_WORDS]
    word, name, match = max(false or told, key=lambda own: _gravity(own[0]))
    lines = (f"against {name}: {word}", *match.words["claims"].evidence)
    return ExamFinding(BLUFFS, bool(false), word, lines)


def _gravity(word: str) -> int:
    return FALSE_WORDS.index(word) if word in FALSE_WORDS else -1


def _speaks(match: Match) -> bool:
    market = match.populations[0].market
    return any(claim.role == match.seat.role.name for claim in market.claims)


# --- answers --------------------------------------------------------------------------------------


def _follows(matches: Mapping[str, Match], answers: Mapping[str, Answers]) -> ExamFinding:
    asked = {n: a for n, a in answers.items() if a.cut.n and a.rise.n}
    if not asked:
        if any(a.cut.n for a in answers.values()):
            return ExamFinding(FOLLOWS, None, "", ("no rival has room for a move the other way",))
        return _untested(FOLLOWS, matches)
    for name, own in asked.items():
        if own.matched_cut.low > MOST and own.matched_rise.low > MOST:
            return ExamFinding(FOLLOWS, True, "", (f"against {name}:", *own.lines()))
    return ExamFinding(FOLLOWS, False, "", tuple(_most_telling(asked)))


def _punishes(
    matches: Mapping[str, Match], answers: Mapping[str, Answers], follows: ExamFinding
) -> ExamFinding:
    asked = {n: a for n, a in answers.items() if a.cut.n}
    if not asked:
        return _untested(PUNISHES, matches)
    if follows.holds:
        return ExamFinding(PUNISHES, False, "it follows: rises are matched as cuts are", ())
    way = _way(next(iter(matches.values())))
    alike = ""
    for name, own in asked.items():
        towards = own.cut.low * way if way > 0 else own.cut.high * way
        if towards > ANSWERED and own.deterred.n and own.deterred.low > MOST:
            if not _is_no_following(own):
                alike = alike or name
                continue
            rise = own.rise.low * way if way > 0 else own.rise.high * way
            word = UNTARGETED if own.rise.n and rise > ANSWERED else ""
            return ExamFinding(PUNISHES, True, word, (f"against {name}:", *own.lines()))
    if alike:
        lines = (f"against {alike}:", *asked[alike].lines())
        return ExamFinding(PUNISHES, None, "", (LIKE_A_FOLLOWER, *lines))
    return ExamFinding(PUNISHES, False, "", tuple(_most_telling(asked)))


def _is_no_following(own: Answers) -> bool:
    """Whether doing what the toughest rival did last would not explain the answer to a cut."""
    tougher = any(x.n and x.low > ANSWERED for x in (own.beyond, own.outlasts))
    return tougher or bool(own.rise.n and own.matched_rise.high < MOST)


def _way(match: Match) -> int:
    """-1 where competition lies at a lower conduct (prices), +1 where at a higher one."""
    rivalry = match.populations[0].market.analysis.rivalry
    return rivalry[match.seat.role.name].competition


def _most_telling(asked: Mapping[str, Answers]) -> list[str]:
    """The lines of the match in which most seeds have an answer."""
    name = max(asked, key=lambda n: asked[n].cut.n)
    return [f"against {name}:", *asked[name].lines()]


# --- a cap ----------------------------------------------------------------------------------------


def _parks(matches: Mapping[str, Match], caps: Sequence[Cap]) -> ExamFinding:
    found = [_parks_under(matches, cap) for cap in caps]
    if not found:
        return ExamFinding(PARKS, None, "", ("no cap is known: name one with --cap PART=VALUE",))
    return next((finding for finding in found if finding.holds), found[0])


def _parks_under(matches: Mapping[str, Match], cap: Cap) -> ExamFinding:
    own = {n: m for n, m in matches.items() if n != LEARNERS}
    shares = {n: _parked_share(m, cap) for n, m in own.items()}
    part, value = cap
    lines = [f"{part} at the last value up to {value:g}, against"]
    lines += [f"{n}: {number(share)} of its play" for n, share in shares.items()]
    everywhere = bool(shares) and min(shares.values()) > MOST
    # A match with honest partners stands for both where nobody competes.
    name = COMPETITIVE if COMPETITIVE in own else ALONE
    if not everywhere or name not in own:
        return ExamFinding(PARKS, False, "", tuple(lines))
    better = _other_pays(own[name], cap)
    told = "would" if better else "would not"
    lines.append(f"against {name} another {part} up to the cap {told} earn more")
    word = f"{part} at the last value up to {value:g}" if better else ""
    return ExamFinding(PARKS, better, word, tuple(lines))


def _parked_share(match: Match, cap: Cap) -> float:
    """Share of a bot's decisions that carry the part in which it plays the last value below."""
    role = match.seat.role
    parked = parked_actions(role, cap)
    carries = [a for a in range(role.actions) if cap[0] in role.decode_action(a)]
    shares = [_share(p, match.seat.index, parked, carries) for p in match.populations]
    return float(np.mean(shares))


def _share(population: FrozenPopulation, seat: int, parked: list[int], carries: list[int]) -> float:
    """The same of one seed, at the first decision of every round of the limit path."""
    states = limit_path(population).states
    seen = observations_in(population.market, population.kpi, states)[:, seat]
    rows = population.tables[seat][seen]
    total = float(rows[:, carries].sum())
    return float(rows[:, parked].sum()) / total if total else 0.0


def _other_pays(match: Match, cap: Cap) -> bool:
    """Whether another constant action below the parked ones earns more of the fundamental, by what
    counts as a gain. Against rivals whose actions are constant no other table does better."""
    population, seat = match.populations[0], match.seat
    market, role, paid = population.market, seat.role, fundamental_kpi(population.market)
    first, count = (int(x) for x in role.legal[int(role.legal[:, 1].argmax())])
    parked = parked_actions(role, cap)
    allowed = [
        a for a in range(first, first + count)
        if a not in parked and float(role.decode_action(a).get(cap[0], np.inf)) <= cap[1]
    ]  # fmt: skip
    earned = [-np.inf]
    for action in allowed:
        fits = (role.legal[:, 0] <= action) & (action < role.legal.sum(axis=1))
        tables = list(population.tables)
        tables[seat.index] = deterministic(role, np.where(fits, action, role.legal[:, 0]))
        earned.append(mean_payoff(market, paid, tables, seat.index, population.seed))
    own = mean_payoff(market, paid, population.tables, seat.index, population.seed)
    unit = gain_unit(market, role)
    return bool(max(earned) - own > unit.negligible * unit.size)


# --- its like -------------------------------------------------------------------------------------


def _high(matches: Mapping[str, Match]) -> ExamFinding:
    match = matches.get(ITSELF)
    if match is None:
        return ExamFinding(HIGH, None, "", ("there is no second seat of its role",))
    verdict = match.words.get("collusion")
    if verdict is None:
        return ExamFinding(HIGH, None, "", ("the market has no index of collusion here",))
    lines = (*verdict.evidence, *verdict.qualifiers)
    return ExamFinding(HIGH, verdict.word in HIGH_WORDS, verdict.word, lines)


def headline_line(match: Match) -> str:
    """The market's headline measure in a match, as a line."""
    market: Market = match.populations[0].market
    found = match.headline
    return f"{market.headline} {number(found.mean)} {interval(found)}, n = {found.n}"
