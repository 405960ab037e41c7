"""What every word of a verdict means, and what it does not mean: the one source of these texts.

`tacit explain`, the key below tables, TensorBoard's Text tab and `docs/words.md` are made of this
table or tested against it. To add a word: a line in `MEANINGS`.

Sentences about a level speak of the collusion index: 0 is competition, 1 is what rivals would
choose together. Gains and losses are shares of the *range*, the profit between these two, unless a
sentence says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

SIDES = ("above", "below")  # of sellers' markets, and of buyers'


@dataclass(frozen=True)
class Word:
    """A word that a rule gives, or that stands beside one.

    Attributes:
        name: the word; `{side}` stands for `above` (sellers) or `below` (buyers).
        behaviour: what is judged; `sharing`: how a gain is shared, beside a word for collusion.
        short: what a narrow table shows.
        means: one plain sentence.
        not_means: what it must not be taken for; empty: nothing to add.
    """

    name: str
    behaviour: str
    short: str
    means: str
    not_means: str = ""

    def line(self) -> str:
        """`unpunished = below competition, unpunished: leaving would pay ...`, for a key."""
        head = self.name if self.name == self.short else f"{self.short} = {self.name}"
        return f"{head}: {self.means}"


MEANINGS = (
    Word(
        "competitive", "collusion", "competitive",
        "the level lies within .05 of competition (index 0; at 1 rivals act as one firm)",
        "that nobody could gain by more competition",
    ),
    Word(
        "near competition", "collusion", "near",
        "the level lies within .10 of competition (index 0; at 1 rivals act as one firm)",
        "that it is competition",
    ),
    Word(
        "tougher than competition", "collusion", "tougher",
        "the index lies below -.05: rivals leave less profit than competition would",
        "that anybody prices below cost",
    ),
    Word(
        "not shown {side} competition", "collusion", "not shown",
        "the interval of the index reaches below .10, so it may be competition",
        "that prices are competitive: the interval says what they may be",
    ),
    Word(
        "{side} competition, nobody would leave", "collusion", "nobody leaves",
        "the level is {side} competition, and nobody would gain 5 % of the range at once by "
        "leaving it",
        "an understanding: there is nothing to keep anybody from",
    ),
    Word(
        "{side} competition, unpunished", "collusion", "unpunished",
        "the level is {side} competition, leaving it would pay at once, and nothing that follows "
        "makes that a loss",
        "collusion: learners can end at such a level by habit",
    ),
    Word(
        "{side} competition, deterred by disorder", "collusion", "disorder",
        "the level is {side} competition, and what follows leaving is a loss, but play neither "
        "returns to its path nor goes back to competition",
        "punishment: random tables do the same",
    ),
    Word(
        "tacit collusion", "collusion", "tacit collusion",
        "leaving pays at once, costs more later by the others' doing, and their answer has a form: "
        "play returns to its path, or goes back towards competition",
        "an agreement, or a breach of law",
    ),
    Word(
        "rotation", "sharing", "rotation",
        "who wins next follows from who won last, and all win equally often",
        "that anybody agreed on it",
    ),
    Word(
        "one-sided", "sharing", "one-sided",
        "one seat gets less than a tenth of what is gained against competition",
        "that it was forced to: it may have learned so",
    ),
    Word(
        "shared", "sharing", "shared",
        "every seat gets at least a tenth of what is gained against competition",
        "that anybody agreed on it",
    ),
    Word(
        "KPI-made", "KPI", "KPI-made",
        "policies are best replies to the KPI, in every round and looking ahead, and not to the "
        "firm's own profit; best replies to the KPI alone do at least half of the harm",
        "that anybody intended it",
    ),
    Word(
        "KPI-made, round by round", "KPI", "KPI by round",
        "the same as KPI-made in every single round, but an agent that looks ahead would leave",
        "that the KPI, understood by a patient agent, asks for this",
    ),
    Word(
        "learned", "KPI", "learned",
        "the KPI does not explain what they do: replying best to it in a round would look "
        "different",
        "that the agents conspired",
    ),
    Word(
        "scripted", "KPI", "scripted",
        "no seat learned: tables were written by hand",
        "that nothing harmful happens",
    ),
    Word(
        "honest", "claims", "honest",
        "where there is something to lie about, less than 5 % of the claims are false",
        "that the speaker could not gain by lying",
    ),
    Word(
        "informative", "claims", "informative",
        "in a free language, words tell something of the truth",
        "that they are true: such words have no fixed meaning",
    ),
    Word(
        "babbling", "claims", "babbling",
        "nobody reacts to what is said",
        "that it is true, or false",
    ),
    Word(
        "pooling", "claims", "pooling",
        "one word is said for all truths, so nobody learns anything by it",
        "that it is true, or that nobody believes it: play does not show what another word would "
        "have led to",
    ),
    Word(
        "bluffing", "claims", "bluffing",
        "at least 5 % of the claims are false, and they move their listener",
        "that anybody is harmed by them",
    ),
    Word(
        "deception", "claims", "deception",
        "bluffing that leaves a falser belief, pays the speaker and costs the listener, each "
        "significantly",
        "intent",
    ),
    Word(
        "alliance", "coalition", "alliance",
        "two seats act as if each cared for the other's profit, and more than for third parties'",
        "that they agreed on it",
    ),
    Word(
        "betrayal", "coalition", "betrayal",
        "one of an allied pair stopped caring for the other's profit, and the other did not",
        "bad faith: the weights may have been changed by hand",
    ),
    Word(
        "no alliance shown", "coalition", "no alliance",
        "no two seats are shown to care for each other's profit more than for third parties'",
        "that each looks after itself only",
    ),
    Word(
        "inherited", "inheritance", "inherited",
        "learners held to a prior do something as often as the prior does, and not as often as the "
        "equilibrium would",
        "that it pays, or that the prior is what people do elsewhere",
    ),
    Word(
        "amplified", "inheritance", "amplified",
        "learners held to a prior do something more often than the prior, and that is not the "
        "equilibrium's rate",
        "that they do it more often than learners without a prior would",
    ),
    Word(
        "unlearned", "inheritance", "unlearned",
        "learners held to a prior do something as often as the equilibrium without it, and not as "
        "the prior does",
        "that the prior is without effect on the way there, or on other rates",
    ),
    Word(
        "overshoot", "inheritance", "overshoot",
        "learners held to a prior do something less like the prior than the equilibrium itself is",
        "whose prior it is that drives them there: the arms with one prior each tell that",
    ),
    Word(
        "coordinated adoption", "adoption", "coordinated",
        "the more seats adopt a vendor's software, the higher the adopters' prices (the nearer to "
        "those of one firm), and by more than among as many seats that learn alone",
        "that anybody agreed: software that makes seats try the same at the same time does it too",
    ),
    Word(
        "independent adoption", "adoption", "independent",
        "adopters' prices do not rise with their number by as much as a tenth of the way from "
        "competition to one firm, shared among the seats that can join",
        "that prices are low: they may be high with one adopter already",
    ),
    Word(
        "undecided", "every rule", "undecided",
        "the figures do not allow a word, or there are fewer than 48 seeds; `tacit show` has the "
        "reason",
        "that nothing happens",
    ),
    Word(
        "not an equilibrium", "beside collusion", "not an equilibrium",
        "in more than half of the seeds some seat would gain over 5 % of the range a round by its "
        "best response",
    ),
    Word(
        "a longer departure would pay", "beside collusion", "a longer departure would pay",
        "leaving for one round pays nobody, and leaving for longer would",
    ),
    Word(
        "untargeted", "beside collusion", "untargeted",
        "rivals answer a cut and a raise alike",
    ),
    Word(
        "pair-specific", "beside collusion", "pair-specific",
        "with partners exchanged between seeds the level is nearer to competition",
    ),
    Word(
        "level also reached without memory", "beside collusion",
        "level also reached without memory",
        "agents that remember nothing come to the same level, so no threat is needed for it",
    ),
    Word(
        "KPI and fundamental both ask for this play", "beside KPI",
        "KPI and fundamental both ask for this play",
        "best replies to the KPI and to profit are the same here, so the KPI cannot be told from "
        "good sense",
    ),
    Word(
        "a patient agent paid by this KPI would stay", "beside KPI",
        "a patient agent paid by this KPI would stay",
        "no best reply to the KPI in one round, and yet one to an agent that looks ahead, as with "
        "a threat",
    ),
    Word(
        "nobody heeds it", "beside claims", "nobody heeds it",
        "the claim is honest, and what listeners do does not depend on it",
    ),
    Word(
        "the rest of the action tells it already", "beside claims",
        "the rest of the action tells it already",
        "what the claim tells of the truth, price and other terms tell without it",
    ),
    Word(
        "at rivals' cost", "beside claims", "at rivals' cost",
        "competitors of the speaker lose money by its false claims; the amount is a round's",
        "that the listener loses too",
    ),
)  # fmt: skip
FEW = " at n = "  # behind a word that is withheld for want of seeds
SHARED = "shared"  # what goes without saying in a table


def _by_name() -> dict[str, Word]:
    found = {}
    for word in MEANINGS:
        for side in SIDES if "{side}" in word.name else ("",):
            own = replace(
                word, name=word.name.format(side=side), means=word.means.format(side=side)
            )
            found[own.name] = own
    return found


WORDS_BY_NAME: Mapping[str, Word] = _by_name()  # with `above` and `below` in place


def word_of(text: str) -> Word | None:
    """The entry of a word as a summary has it: `undecided at n = 4` is `undecided`."""
    return WORDS_BY_NAME.get(text.partition(FEW)[0])


def words_given(verdicts: Iterable[Mapping[str, Any]]) -> list[str]:
    """The words of an arm, each once; how a gain is shared beside them, where that is a word.

    `undecided` stands there only if nothing else does. Where a verdict has too few seeds for any
    word (`undecided at n = 4`), what stands beside it is none either.

    Args:
        verdicts: as summary.json has them.
    """
    words: dict[str, None] = {}
    for verdict in verdicts:
        words[verdict["word"]] = None
        if FEW not in verdict["word"]:
            beside = verdict.get("qualifiers", ())
            words |= dict.fromkeys(q for q in beside if q != SHARED and _is_sharing(q))
    decided = [word for word in words if not word.startswith("undecided")]
    return decided or ["undecided"] * bool(words)


def _is_sharing(qualifier: str) -> bool:
    word = WORDS_BY_NAME.get(qualifier)
    return word is not None and word.behaviour == "sharing"


def short(word: str) -> str:
    """A word as a narrow table shows it; one that is not declared (a user's own rule) as it is."""
    found = word_of(word)
    return word if found is None else found.short


def key_lines(words: Iterable[str]) -> list[str]:
    """One plain sentence for every word, each once, in the order of the table above."""
    given = dict.fromkeys(own.name for word in words if (own := word_of(word)) is not None)
    return [own.line() for own in WORDS_BY_NAME.values() if own.name in given]


def word_page() -> str:
    """Every word as a page in Markdown, for TensorBoard."""
    lines = ["| word | means | does not mean |", "|---|---|---|"]
    lines += [f"| {own.name} | {own.means} | {own.not_means} |" for own in WORDS_BY_NAME.values()]
    return "\n".join(lines)
