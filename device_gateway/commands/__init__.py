"""What `sinew gateway WORD` does: a small module with `main(argv) -> int` for each word."""
