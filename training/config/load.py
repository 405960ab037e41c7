"""Experiments: a name, a YAML file or a table becomes arms, each fully resolved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from tacit.emergence.adoption.slope import full_slope
from tacit.envs.errors import ConfigError, build, nearest

from . import files
from .agent_settings import with_folder
from .arms import Arm, Experiment, distinct_arms, resolve_arm
from .experiment_file import (
    GROUPS,
    ExperimentFile,
    read_experiment_file,
    readable_part,
    short_market,
)
from .layers import Setting
from .mistakes import MistakeList
from .names import check_arm_name
from .references import AdoptionConfig, arms_named, old_key_notes


def load(
    config: str | Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    arms: Sequence[str] = (),
    as_arm: str | None = None,
) -> Experiment:
    """An experiment from a name, a file, a market's name, or a table.

    Args:
        config: what to load.
        overrides: `key=value` words, applied last, over every arm.
        arms: only these arms; all by default.
        as_arm: another name for the only arm, as `tacit train --as` gives it.

    Raises:
        ConfigError: every mistake of the configuration at once.
    """
    name, raw = name_and_data(config)
    mistakes = MistakeList()
    file = None
    with mistakes.collecting():
        file = build(ExperimentFile, raw, "")
    if file is None:  # go on with the keys that are right: there may be mistakes in them as well
        file = readable_part(raw)
        if file is None:
            raise ConfigError(mistakes)
    changes = parse_overrides(overrides, mistakes)
    named = file.arms or {"base": {}}
    # Without arms in `file` although some were written, the arms themselves are what is wrong.
    if file.arms or not raw.get("arms"):
        mistakes += _unknown_arms(file, arms, named)
    if as_arm is not None:
        check_arm_name(as_arm, "--as")
        if len(arms or named) > 1:
            raise ConfigError("--as: names one arm; choose it with --arm, this config has several.")
    chosen = {arm: own for arm, own in named.items() if not arms or arm in arms}
    resolved: dict[str, Arm] = {}
    wrong: dict[str, list[str]] = {}  # mistake -> arms that have it
    for arm, own in chosen.items():
        try:
            check_arm_name(arm, "arms")
            resolved[as_arm or arm] = resolve_arm(as_arm or arm, file, [*own.items()], changes)
        except ConfigError as error:
            for line in error.mistakes:
                wrong.setdefault(line, []).append(arm)
    mistakes += _with_arms(file, wrong, len(chosen), changes)
    if as_arm is None:
        mistakes += adoption_mistakes(file.adoption, resolved)
    if file.figure is not None and file.figure.adoption and file.adoption is None:
        mistakes.append("figure.adoption: draws series of adopters, and the file has no adoption.")
    mistakes.raise_if_any()
    distinct, notes = distinct_arms(resolved)
    overridden = {
        label: words
        for arm, own in chosen.items()
        if (label := as_arm or arm) in distinct
        and (words := _overriding(distinct[label], file, [*own.items()], overrides))
    }
    notes = [*old_key_notes(raw), *notes, *_seed_note(changes, distinct)]
    return Experiment(name, file, distinct, notes, overridden)


def _seed_note(changes: Sequence[Setting], arms: Mapping[str, Arm]) -> list[str]:
    """What `seed=` did where it is easily meant for `seeds=`: in one arm, or in several alike."""
    keys = {key for key, _ in changes}
    counts = {arm.seeds for arm in arms.values()}
    if "seed" not in keys or "seeds" in keys or len(counts) > 1:
        return []
    (count,) = counts
    return [f"seed is where repetitions begin; how many there are says seeds: {count}"]


def _overriding(
    arm: Arm, file: ExperimentFile, own: Sequence[Setting], words: Sequence[str]
) -> list[str]:
    """The words of the command line, if they made an arm another one than the file describes."""
    if not words:
        return []
    try:
        as_written = resolve_arm(arm.name, file, own, [])
    except ConfigError:  # without them it is none
        return list(words)
    return [] if arm.same(as_written.plain) else list(words)


def name_and_data(config: str | Path | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name of an experiment, and its data as its file holds them.

    Raises:
        ConfigError: there is no such experiment, or its file cannot be read.
    """
    if isinstance(config, Mapping):
        return str(short_market(config.get("market")).get("name", "experiment")), dict(config)
    path = files.experiment_path(str(config))
    if path is None:
        return str(config), {"market": str(config)}
    name = path.name.removesuffix(".yaml").removesuffix(".yml")
    raw = read_experiment_file(path)
    if "market" not in raw and {"experiment", "arms"} <= raw.keys():
        raise ConfigError(
            f"CONFIG: {path} is the configuration that a run has kept, not an experiment. tacit "
            "resume goes on with a run, tacit audit reproduce trains it once more."
        )
    return name, _with_folder(raw, Path(str(path)).parent)


def _with_folder(raw: dict[str, Any], folder: Path) -> dict[str, Any]:
    """An experiment's data in which paths of policy files lead out from its file's folder."""
    found = with_folder(raw, folder)
    if isinstance(arms := found.get("arms"), Mapping):
        found["arms"] = {
            arm: with_folder(own, folder) if isinstance(own, Mapping) else own
            for arm, own in arms.items()
        }
    return found


def _unknown_arms(file: ExperimentFile, arms: Sequence[str], named: Iterable[str]) -> list[str]:
    """Arms that options, references, the figure or expected verdicts name and that do not exist."""
    spoken_of = [("--arm", arm) for arm in arms]
    keys = ("references", "published", "predicted")
    references = {key: getattr(file, key) for key in keys}
    spoken_of += arms_named(references, file.figure, file.expected_verdict)
    spoken_of += file.adoption.arms_named() if file.adoption else []
    return [
        f"{where}: unknown arm '{arm}'. {nearest(arm, named)}"
        for where, arm in spoken_of
        if arm not in named
    ]


def adoption_mistakes(adoption: AdoptionConfig | None, arms: Mapping[str, Arm]) -> list[str]:
    """What keeps adopters in these arms from being compared: measures, benchmarks, seats, markets.

    Args:
        adoption: what the file says of adopters.
        arms: that are loaded; nothing is said of others.
    """
    if adoption is None:
        return []
    found = dict[str, None]()  # each line once
    own = arms.get(adoption.alone)
    if own is not None and own.vendors:
        shared = "; ".join(", ".join(vendor.seats) for vendor in own.vendors)
        found[f"adoption.alone: in {own.name} seats share a vendor ({shared}); nobody may."] = None
    for name, series in adoption.series.items():
        for arm, seats in series.items():
            if arm in arms:
                where = f"adoption.series.{name}.{arm}"
                for line in _seat_mistakes(adoption, arms[arm], seats, where):
                    found[line] = None
        both = [arms[arm] for arm in adoption.arms_of(name) if arm in arms]
        unlike = [arm.name for arm in both[1:] if arm.market.config != both[0].market.config]
        if unlike:
            line = f"adoption.series.{name}: {', '.join(unlike)} and {both[0].name} have different"
            found[f"{line} markets, so adopters' numbers are not all that differs."] = None
    return list(found)


def _seat_mistakes(
    adoption: AdoptionConfig, arm: Arm, seats: Sequence[str], where: str
) -> Iterator[str]:
    """Adopters that an arm's market does not have, or that cannot be compared in it."""
    known = {seat.name: seat.role for seat in arm.market.seats}
    yield from (
        f"{where}: unknown seat '{seat}'. {nearest(seat, known)}"
        for seat in seats
        if seat not in known
    )
    roles = dict.fromkeys(known[seat].name for seat in seats if seat in known)
    if len(roles) > 1:
        yield f"{where}: adopters must be of one role, got {' and '.join(roles)}."
    for role in roles:
        measures = [own.name for own in arm.market.measures if role in own.roles]
        if adoption.measure not in measures:
            advice = nearest(adoption.measure, measures)
            yield f"adoption.measure: a {role} has no measure '{adoption.measure}'. {advice}"
        elif not isfinite(full_slope(arm.market, adoption.measure, role)):
            yield (
                f"adoption.measure: {arm.market.name} has no two benchmarks, competitive and "
                f"collusive, of '{adoption.measure}', so a rise cannot be measured."
            )


def _with_arms(
    file: ExperimentFile,
    wrong: Mapping[str, list[str]],
    chosen: int,
    changes: Sequence[Setting],
) -> list[str]:
    """Mistakes, with the name of the arm where it is the arm's own settings that make them."""
    if not wrong or not file.arms:
        return list(wrong)
    general = MistakeList()  # those that the experiment has without any arm
    with general.collecting():
        resolve_arm("base", file, [], changes)
    return [
        line
        if line in general or line.startswith("arms") or 1 < chosen == len(arms)
        else f"arms.{', '.join(arms)}: {line}"
        for line, arms in wrong.items()
    ]


def parse_overrides(overrides: Iterable[str], mistakes: MistakeList) -> list[Setting]:
    """`key=value` words as settings, values YAML; wrong ones are added to `mistakes`."""
    settings: list[Setting] = []
    for word in overrides:
        key, separator, value = word.partition("=")
        group = key.split(".")[0]
        if word == "=":
            mistakes.append("=: must have no spaces around it, as in market.bidders=3.")
        elif not separator or not key:
            mistakes.append(f"{word}: must be key=value, as in market.bidders=3.")
        elif group not in GROUPS:
            mistakes.append(f"{key}: unknown key. {nearest(group, GROUPS)}")
        else:
            with mistakes.collecting():
                settings.append((key, files.parse(value, key)))
    return settings
