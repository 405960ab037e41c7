"""Markets, KPIs, agents and experiments as YAML."""
