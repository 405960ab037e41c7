"""`tacit lint`: what a KPI asks for and how it can be gamed, before anybody is trained."""

from __future__ import annotations

import json
import sys

from .options import ArmOption, Config, JsonFlag, Settings


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
