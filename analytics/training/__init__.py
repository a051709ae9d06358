"""Data sets, training and evaluation: the commands `sinew train` and `sinew evaluate`."""
