"""Data sets and training: the command `sinew train`."""
