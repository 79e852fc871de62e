"""The parts of the study ``utility.excavation``: declaration, rules, pits, check, outcome."""
