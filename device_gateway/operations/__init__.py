"""What keeps it running where nobody looks: configuration, service, status, health."""
