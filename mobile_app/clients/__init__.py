"""The two lines out of the phone: to the clinic's server, and to the gateway at home."""
