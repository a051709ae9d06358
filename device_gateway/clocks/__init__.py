"""Time: the gateway's own clock, and where each sensor's clock lies on it."""
