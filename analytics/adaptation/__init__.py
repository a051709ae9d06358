"""What should change in a program, and why, in words a physiotherapist can check."""
