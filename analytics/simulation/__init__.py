"""Bodies and patients whose truth is known exactly, to test, to train where no data covers, and to fill a
demonstration."""
