"""Other ways to make an embedding small, for comparison at equal bytes, each faithful to the paper that it names.

=============== =================== ============================================================================
strategy        file                what is served
=============== =================== ============================================================================
``narrow``      ``narrow.py``       rows of fewer dimensions
``merge``       ``merge.py``        rows of frequent features, one for the rare of a field
``int-b``       ``int_b.py``        integers of b bits; a scale and an offset for each field and dimension
``lsq``         ``lsq.py``          integers of b bits, trained; one step, an offset for each dimension
``double-hash`` ``double_hash.py``  rows of frequent features, a smaller table for the rest
``dhe``         ``dhe.py``          a net on hashes
``qr``          ``qr.py``           two tables, whose rows are multiplied
``dpq-vq``      ``dpq_vq.py``       a code for each feature, and centroids
``mgqe``        ``mgqe.py``         the same, with shorter codes for rare features
``mpe``         ``mpe.py``          integers of 0 to 6 bits, by frequency
=============== =================== ============================================================================

DPQ-VQ and MGQE differ in their codes alone; what they share is in ``vq.py``, and their centroids in ``books.py``. LSQ
and MPE share ``rounding.py``.

All are a ``Rival`` (``rival.py``). ``methods.py`` has them by name and makes one of a configuration; ``strategies.py``
makes them strategies of the batch. ``knobs.py`` has the options by which each meets a budget, and ``budget.py`` the
configurations that fit.

First-order weights are made by the same method, at width 1. Every number that stands for them is served in float16, the
rest of a model in float32.
"""
