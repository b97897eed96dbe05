"""What a user runs. An error is told in one sentence, and a script ends when the process that started it ends."""

import sys

from autodpq_system.sentence import tell_in_one_sentence
from autodpq_system.stopping import stop_with_starter

# Two seconds of import that nbformat's jsonschema asks for, to check IRIs, of which a notebook has none.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

if sys.argv[0] == "-m":  # python -m scripts.replicate is at this package; an import leaves its process as it is
    tell_in_one_sentence()
    stop_with_starter()  # before the imports, which take seconds
