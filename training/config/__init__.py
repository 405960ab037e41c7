"""Experiments: YAML files become arms, every arm one resolved configuration.

    load                           from a name, a file or a table to an `Experiment`
    files                          YAML, and where files of configs/ are found
    experiment_file, references    keys of an experiment file; what its results are put beside
    layers                         market's YAML < experiment < arm < command line
    kpi_settings, agent_settings   an arm's KPIs and agents
    breaker_settings, in_force     an arm's breakers; market and KPI after they have redirected it
    arms, arm_settings             an `Arm`; settings in which arms differ
    mistakes                       a user's mistakes, all reported together

Reading starts with `load.load`.
"""

from .arms import Arm, Experiment
from .experiment_file import ExperimentFile, RecordConfig, TrainConfig
from .references import Figure, Panel, Reference

__all__ = [
    "Arm",
    "Experiment",
    "ExperimentFile",
    "Figure",
    "Panel",
    "Reference",
    "RecordConfig",
    "TrainConfig",
]
