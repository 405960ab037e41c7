"""Q-learners and scripted players over policy tables."""
