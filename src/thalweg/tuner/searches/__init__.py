"""The searches: which point of the space is tried next."""
