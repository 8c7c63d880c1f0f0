"""Packages that application teams install to publish to the platform; nothing of the platform imports them."""
