"""The wind studies' common ground: the grid of the tunnel, what stands in it, the flow, what is read from it."""
