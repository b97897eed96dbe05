"""Things to move: each a function that shows controls and what they change, or a picture where there is no kernel.

One picture stands still: Figure 1.
"""
