"""Approved letter → carrier. What a letter says is decided before it comes here."""
