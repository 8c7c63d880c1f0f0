"""`python -m spark_jobs --job NAME …` runs a job; `python -m spark_jobs size --bytes N` says how large it will be."""

from __future__ import annotations

import sys

from spark_jobs.run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
