"""The clinic's pages: who needs a look, where each patient is heading, and what to decide."""
