"""What is raised where there is nothing to measure."""


class UnmeasurableError(ValueError):
    """The movement cannot be measured; the message is a sentence to show."""
