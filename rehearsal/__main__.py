"""`python -m rehearsal`: the command line of the rehearsal; see `--help`."""

from rehearsal.scenario.command import main

if __name__ == "__main__":
    raise SystemExit(main())
