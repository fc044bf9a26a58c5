"""The recorder itself, on a page made for it: what it tells must be true before anything is judged by it."""
