"""What every driver is made of: the conversation, its row in the table, clocks, gaps, pairing, clipping."""
