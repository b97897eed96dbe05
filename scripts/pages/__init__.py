"""The pages whose numbers come from the records: one file here for each, with the functions that write its blocks.

A page is Markdown, its prose written by hand, in place. Numbers stand in blocks, between ``<!-- begin NAME -->`` and
``<!-- end NAME -->``. ``make readme`` fills them; a test fails where they are no longer what the records say.

To add a page, write its Markdown with empty blocks; write a file here whose ``BLOCKS`` has, by name, the function that
returns the text of each; enter both in ``PAGES`` of :mod:`scripts.readme`. A picture is a function that returns a table
and one that draws it, entered in ``PICTURES`` there.
"""
