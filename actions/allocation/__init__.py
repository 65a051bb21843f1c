"""Who gets what: one problem, its limits, its prices, and the certificate of the plan."""
