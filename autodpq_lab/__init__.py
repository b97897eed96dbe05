"""Interactive widgets for the notebooks: controls and what they change or, where there is no kernel, a still picture.

Figure 1 alone is a plain picture.
"""
