"""Reports as pages: rows of result tables become self-contained HTML.

It imports the standard library, jinja2 and contracts, and reads no file but its own templates, so that it runs in a
function as it runs here. It asks no engine and writes no file; `command.py` does that for the command line.
"""
