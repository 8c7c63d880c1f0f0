"""The bench of the flattening function: how fast it is beside others, and what it costs to start and to hold."""
