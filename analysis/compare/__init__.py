"""The parts of the study ``compare.results``: pairing layers, differences of fields, of tables and of key figures."""
