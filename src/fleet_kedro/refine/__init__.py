"""Thousands of columns into twenty-five latents."""
