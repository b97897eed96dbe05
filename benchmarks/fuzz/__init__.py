"""Hostile files by the thousand: what is read must be refused in a sentence, or right."""
