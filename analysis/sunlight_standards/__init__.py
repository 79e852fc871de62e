"""Daylight and sunlight by standards: EN 17037, BRE 209, school reviews."""
