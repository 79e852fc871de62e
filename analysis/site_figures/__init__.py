"""Figures of plots: coverage, floor area, height, dwellings and parking, against what is allowed."""
