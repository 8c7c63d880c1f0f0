"""The bench of the ingest function: shows a second, calls of the catalog API, and what it costs to start."""
