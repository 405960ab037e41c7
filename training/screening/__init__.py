"""`tacit screen`: a user's bids."""
