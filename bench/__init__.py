"""What the work costs: whole processes, timed and weighed against their budgets."""
