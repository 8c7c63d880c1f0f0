"""What is derived from the contracts, one file per form; declares nothing of its own."""
