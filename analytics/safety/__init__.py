"""What is allowed now, and what must ease. Pure Python: the same code on phone, gateway and server."""
