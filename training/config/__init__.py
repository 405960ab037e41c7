"""Experiments: YAML files become arms, every arm one resolved configuration."""
