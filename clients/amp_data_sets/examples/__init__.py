"""Programs that use the client as it is meant to be used."""
