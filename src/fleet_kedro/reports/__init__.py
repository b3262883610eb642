"""What we tell: console, figures, page."""
