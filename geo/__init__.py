"""Terrain, buildings, coordinates, file formats and the shared model. Imports nothing else of this program."""
