"""`tacit lint` and `tacit drill`: what can be tried before anybody is trained."""

from __future__ import annotations

import json
import sys

from .options import ArmOption, Config, JsonFlag, Settings, Wide


def lint(
    config: Config,
    settings: Settings = None,
    arm: ArmOption = None,
    as_json: JsonFlag = False,
) -> None:
    """What the KPIs of CONFIG ask for, and at what cost; exit code 1 on a high finding."""
    from tacit.oversight.lint import DISCLAIMER, HIGH, report_lines
    from tacit.training.config.load import load
    from tacit.training.outcome.linting import lint_arm
    from tacit.training.show.terminal import console

    experiment = load(config, settings or [], arm or [])
    reports, out = [], console()
    for resolved in experiment.arms.values():
        reports.append(lint_arm(resolved))
        for line in [] if as_json else report_lines(reports[-1]):
            out.print(line, soft_wrap=True)
    if as_json:
        arms = {report.arm: report.plain() for report in reports}
        data = {"experiment": experiment.name, "arms": arms, "note": DISCLAIMER}
        print(json.dumps(data, allow_nan=False))
    else:
        out.print(DISCLAIMER, soft_wrap=True)
    if any(report.severity == HIGH for report in reports):
        sys.exit(1)


def drill(
    config: Config,
    settings: Settings = None,
    arm: ArmOption = None,
    as_json: JsonFlag = False,
    wide: Wide = False,
) -> None:
    """Whether the breakers of CONFIG do what they say, tried in seconds; exit code 1 if not."""
    from tacit.envs.errors import ConfigError
    from tacit.training.config.load import load
    from tacit.training.show.terminal import TextTable, console
    from tacit.training.studies.drill import drill as drill_arm

    experiment = load(config, settings or [], arm or [])
    guarded = [own for own in experiment.arms.values() if own.breakers]
    if not guarded:
        raise ConfigError(
            f"breakers: no arm of {experiment.name} has any; there is nothing to try."
        )
    rows = [row for own in guarded for row in drill_arm(own)]
    wrong = sum(bool(row.wrong) for row in rows)
    if as_json:
        data = {"experiment": experiment.name, "breakers": [row.plain() for row in rows]}
        print(json.dumps(data, allow_nan=False))
    else:
        out = console(wide=wide)
        out.print(TextTable([row.cells() for row in rows]))
        for row in rows:
            for line in row.wrong.values():
                out.print(f"WRONG  arm {row.arm}, breaker {row.breaker}: {line}", soft_wrap=True)
        count = f"{len(rows)} breaker{'s' * (len(rows) > 1)}"
        out.print(f"{wrong} of {count} did not hold" if wrong else f"{count} did what they say")
    if wrong:
        sys.exit(1)
