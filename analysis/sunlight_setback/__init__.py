"""Distances that buildings keep for the sun of their neighbours: from boundaries and from one another."""
