"""Plays Redshift on a real PostgreSQL: what only Redshift has is recognised form by form, nothing passes unread."""
