"""Small applications that publish events; nothing imports them but their tests."""
