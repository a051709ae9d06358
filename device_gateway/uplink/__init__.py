"""The way to the clinic and back, through any network."""
