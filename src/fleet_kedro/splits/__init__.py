"""How past and future are kept apart."""
