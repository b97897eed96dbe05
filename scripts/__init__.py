"""What a user runs. What goes wrong is told in one sentence."""

import sys

from autodpq_system.sentence import tell_in_one_sentence

if sys.argv[0] == "-m":  # python -m scripts.replicate is at this package; an import leaves the hook of its process
    tell_in_one_sentence()
