"""Numbers only: arrays in, arrays out, each method with its paper."""
