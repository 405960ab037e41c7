"""What a KPI alone would do: regrets, best-response benchmark, harm, and the rule."""
