"""Cameras: what each of them sees of the city, how well, and what no camera sees."""
