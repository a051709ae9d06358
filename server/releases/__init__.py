"""Models and exercises that gateways fetch: signed away from this server, which only hands them on."""
