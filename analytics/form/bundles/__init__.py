"""The form models that come with the program, one file per exercise; `sinew train form --out` writes them."""
