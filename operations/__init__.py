"""What an operator runs against a deployed platform: explain, redrive, replay, check. It must not deploy anything."""
