"""The parts of the study ``sunlight.shadow``: declaration, moments, tracing, places, outlines, outcome."""
