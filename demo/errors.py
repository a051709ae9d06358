"""What can go wrong with a demo that the person at the keyboard can mend."""


class DemoError(RuntimeError):
    """One sentence: what happened and what to do."""
