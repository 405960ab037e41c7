"""Q-learners that share weights, data or draws: a vendor's seats (`tacit.agents.vendors`)."""
