"""The audit of how groups of customers are treated: which groups, and how often each is reached."""
