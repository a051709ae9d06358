"""What the gateway keeps, durable before anything else counts it."""
