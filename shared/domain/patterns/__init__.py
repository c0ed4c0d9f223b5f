"""Patterns: the shots of all ads as clips that are ranked, found again and compared."""
