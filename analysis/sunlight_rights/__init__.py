"""The parts of the study ``sunlight.rights``: declaration, rules, windows, obstacles, timeline, blame, outcome."""
