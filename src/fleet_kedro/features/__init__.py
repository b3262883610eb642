"""What is known at the close of each bar."""
