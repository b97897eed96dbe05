"""The one door to C."""
