"""Interactive widgets for the notebooks: a function shows controls and what they change, or a still picture.

Figure 1 alone is a plain picture.
"""
