"""What we do about a forecast."""
