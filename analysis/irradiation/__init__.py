"""The parts of the study ``sunlight.irradiation``: declaration, weather, sky, what falls on surfaces, PV, outcome."""
