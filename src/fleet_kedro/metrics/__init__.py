"""How good it is, beside its null."""
