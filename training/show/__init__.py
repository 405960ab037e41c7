"""What the command line prints: tables, listings, policies in words."""
