"""The parts of the studies of pipe networks: pipes of the layers, direction of flow, places, outcome."""
