"""Who may get what: consents, caps, quiet days, and a reason for every pair that is blocked."""
