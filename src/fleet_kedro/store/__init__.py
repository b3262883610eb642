"""Where models live: safe files, model card, registry of versions and stages."""
