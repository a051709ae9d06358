"""The whole system on one computer: a seeded clinic, its server, and a gateway with virtual sensors."""
