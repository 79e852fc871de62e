"""The parts of the study ``wind.cold_air``: land, layer of cold air over the night, dams, outcome."""
