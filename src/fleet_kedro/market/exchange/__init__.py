"""Candles from an exchange, kept in a store that loses none and invents none."""
