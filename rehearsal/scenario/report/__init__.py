"""The rehearsal's report: what was found, as one HTML page and as lines for a terminal; finds nothing itself."""
