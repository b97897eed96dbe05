"""The smallest loss for so many bytes: each group of features is stored in the way that is worth its bytes.

============================ ===========================================================================
file                         what is there
============================ ===========================================================================
``tables.py``                what is compressed: rows, counts, how much an error matters; its groups
``ways.py``                  the ways in which a group can be stored, and what each loses
``menu.py``                  every way of every group, with its bytes and its distortion; the choice
``sensitivity.py``           how much the loss of a model minds an error in each field and dimension
``by_groups.py``             the chosen tables as an embedding that can be trained on
``teach.py``                 a model that learns what another says
``move.py``                  codes that move to where the loss is less
``train_on.py``              training on: codes, numbers and the rest of the model
``asked.py``                 what is asked of it, or one sentence on why not
``given.py``                 plain arrays as they are given, checked
``width.py``                 how wide a model pays at so many bytes
``compress.py``              a trained model in a file of so many bytes
``arrays.py``                plain arrays in so many bytes
``show.py``                  the choice as a table and a picture, and the curve that it lies on
``strategy.py``              the same as a strategy of the batch
``plan.py``                  the batch at equal bytes, rivals included; ``batch.py`` makes it known
``at_equal_bytes.py``        AUC against bytes, from records
``picture.py``               its picture
============================ ===========================================================================

The file is that of :mod:`autodpq_packed.grouped`.
"""
