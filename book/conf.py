"""Sphinx reads this: the book is built by ``make book``, offline, and reads without a network."""

project = "AutoDPQ, replicated"
author = "the authors of this replication"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "scripts.book.mathml",
    "scripts.book.comments",
]
html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["book.css", "gallery.css"]
html_theme_options = {"use_download_button": False, "use_fullscreen_button": False, "show_toc_level": 2}
html_copy_source = False  # notebooks twice would be half of the book
html_show_sphinx = False

# The notebooks come executed.
nb_execution_mode = "off"
nb_render_markdown_format = "myst"  # formulas in what a cell says
nb_output_stderr = "remove"  # progress bars
# Of a widget a page shows the picture that stands for it. HTML comes before PNG, for it has the alternative text.
nb_mime_priority_overrides = [("html", "text/html", 0), ("html", "application/vnd.jupyter.widget-view+json", None)]
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 4
# A page that begins with a level two heading, or skips one, is no error: most come from notebooks. Nor is a return type
# `bytes` where two classes have a property of that name.
suppress_warnings = ["myst.header", "ref.python"]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_use_ivar = True
python_use_unqualified_type_names = True
