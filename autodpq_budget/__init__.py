"""The smallest loss for so many bytes: each group of features is stored in the way that is worth its bytes.

======================== ===========================================================================
file                     what is there
======================== ===========================================================================
``tables.py``            what is compressed: rows, counts, how much an error matters; its groups
``ways.py``              the ways in which a group can be stored, and what each loses
``menu.py``              every way of every group, with its bytes and its distortion; the choice
``outputs.py``           the vectors that a model's tables give, for gradients by them
``sensitivity.py``       how much the loss of a model minds an error in each field and dimension
``of_model.py``          from a trained model to its menu, and from a choice back to a model
``by_groups.py``         the chosen tables as an embedding that can be trained
``distil.py``            a model that learns what another says
``other_width.py``       configurations of another width, alike in all else
``other_model.py``       the best methods on another model than DeepFM
``teacher.py``           FE as a teacher, and what it has taught
``taught.py``            FE of another width, taught, as a strategy of the batch; rivals that are taught
``recode.py``            codes that are chosen anew where the loss is less
``fine_tune.py``         fine-tuning: codes, numbers and the rest of the model
``check_arguments.py``   what is asked of it, or one sentence on why not
``check_arrays.py``      plain arrays as they are given, checked
``width.py``             how wide a model pays at so many bytes
``starting_model.py``    what is compressed of a run: its own model, or a narrower one
``compress.py``          a trained model in a file of so many bytes
``arrays.py``            plain arrays in so many bytes
``choice_table.py``      the choice as a table and a picture, and the curve that it lies on
``strategy.py``          the compressor as a strategy of the batch
``settings.py``          the settings that each method tries at each share of FE's bytes
``read_runs.py``         the runs at equal bytes as a table, from their records
``chosen.py``            of a method's settings that fit a share, the one that stands for it
``plan.py``              the batch at equal bytes, rivals included; ``batch.py`` makes it known
``at_equal_bytes.py``    AUC against bytes, and who is ahead; ``auc_curve.py`` draws it
``controls.py``          what the teacher is worth, and first-order weights with options of their own
======================== ===========================================================================

The file is that of :mod:`autodpq_packed.grouped`.
"""
