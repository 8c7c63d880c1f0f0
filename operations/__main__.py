"""`python -m operations`: the operator's command line; see `--help`."""

from operations.command_line import main

if __name__ == "__main__":
    raise SystemExit(main())
