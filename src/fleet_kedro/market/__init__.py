"""What the data is: candles, gaps, symbol lineage, sources."""
