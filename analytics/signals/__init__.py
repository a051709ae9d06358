"""Samples as sensors give them, recordings of them, and the chunk that carries them. NumPy and zstandard only."""
