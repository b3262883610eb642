"""What forecasts one asset's next hours: trees, networks, and their settings."""
