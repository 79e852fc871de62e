"""The parts of the study ``sunlight.hours``: declaration, day, city, ground, surfaces, outcome."""
