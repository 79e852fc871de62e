"""Truth checks of pipe networks: what cannot be, what may not be, and what nobody knows."""
