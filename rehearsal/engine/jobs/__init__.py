"""Glue jobs: their runs, the process of each run, its logs; knows nothing of templates or of what a job computes."""
