"""The exercise session: from the first question to the report."""
