"""Where a patient is on the way to recovery, and where that is heading, with its uncertainty."""
