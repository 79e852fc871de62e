"""Reused parts of the window."""
