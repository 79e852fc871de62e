"""Dust in the window: purifiers and sources set by hand, what follows them, and what reports say of it."""
