"""What Jupyter calls a widget among the outputs of a cell."""

VIEW = "application/vnd.jupyter.widget-view+json"
