"""Where sensors of the environment stand best: within reach of what they watch, telling for a field, near to people."""
