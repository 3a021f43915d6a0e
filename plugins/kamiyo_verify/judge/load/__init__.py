"""What a load run shows, as pure functions of its steps."""
