"""``make book``: pages, notebooks, course, API and a gallery of all runs as one web site in ``runs/book/html``."""
