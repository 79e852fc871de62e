"""Ventilation corridors: where the wind gets through a city, how wide and how old its air is, and what closes it."""
