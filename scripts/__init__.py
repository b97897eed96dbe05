"""What runs the suite, and what only its development needs."""
