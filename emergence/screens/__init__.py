"""Statistical screens of bids, a user's own included."""
