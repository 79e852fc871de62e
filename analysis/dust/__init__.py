"""Dust: transport in a steady wind, sources, people and purifiers."""
