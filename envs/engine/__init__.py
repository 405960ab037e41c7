"""Many copies of a market, stepped phase by phase in compiled loops."""
