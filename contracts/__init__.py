"""What the platform's data means: each event and table declared once; imports the standard library only."""
