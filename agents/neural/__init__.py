"""Neural learners: networks that write policy tables, evaluated once per observation."""
