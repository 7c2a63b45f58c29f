"""The report on causes: why clients turn to us, and over what they refuse."""
