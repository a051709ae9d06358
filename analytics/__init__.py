"""What the numbers mean: words, signals, exercises, motion, form, recovery, safety, adaptation. Pure computation."""
