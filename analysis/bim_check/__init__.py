"""Checks of building models by their shapes: clashes, duplicates, rooms, doors."""
