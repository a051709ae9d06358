"""From the server's words to what a template needs. Pure functions: no request, no database, no clock."""
