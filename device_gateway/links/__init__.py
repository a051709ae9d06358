"""The radio side: which adapters there are, who is heard, and one link to each worn sensor."""
