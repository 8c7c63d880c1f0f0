"""Those that are measured, each a program of its own with the same arguments; none knows another."""
