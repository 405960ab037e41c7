"""Experiments: YAML files become arms, every arm one resolved configuration.

    load                           from a name, a file or a table to an `Experiment`
    files                          YAML, and where files of configs/ are found
    experiment_file, references    keys of an experiment file; what its results are put beside
    layers                         market's YAML < experiment < arm < command line
    kpi_settings, agent_settings   an arm's KPIs and agents
    breaker_settings               an arm's breakers, and the keys of a redirect
    redirecting, in_force          what redirects make of a market, a KPI, an arm
    arms, arm_settings             an `Arm`; settings in which arms differ
    mistakes                       a user's mistakes, all reported together

Reading starts with `load.load`.
"""
