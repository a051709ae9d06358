"""How a repetition was done: a small TFLite model judges it on the device, or says that it cannot."""
