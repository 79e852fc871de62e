"""File formats of building models: one file per format, each with a module constant ``FORMAT``."""
