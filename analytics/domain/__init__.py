"""The words that rooms share. Each module is one page of the dictionary; import the word from its page."""
