"""The local API: live events out, commands in, over TLS to phones that were let in."""
