"""What learners share whose policies stand still between two updates."""
