"""Glue jobs and their runs; what executes them is shared (`rehearsal.engine.jobs.executions`)."""
