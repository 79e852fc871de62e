"""Rooms and the ways between them: cells, paths inside a floor, the walking network of a building."""
