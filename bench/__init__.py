"""Claims about the platform in numbers, each with the script that makes it; nothing of the platform imports them."""
