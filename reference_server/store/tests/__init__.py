"""What every store must do, and what the one on disk must survive."""
