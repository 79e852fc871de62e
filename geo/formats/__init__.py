"""File formats of the city: one file per format, each with a module constant ``FORMAT``."""
