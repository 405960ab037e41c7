"""Commands about agents that tacit did not teach, and about policies as files."""
