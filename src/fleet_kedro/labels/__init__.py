"""What we try to know, and the bar at which it becomes known."""
