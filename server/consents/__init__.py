"""What a patient has agreed to, and since when."""
