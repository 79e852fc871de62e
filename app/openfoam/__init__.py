"""The way to OpenFOAM and back: a case from the wind tunnel's grid, its run where it is installed, its result."""
