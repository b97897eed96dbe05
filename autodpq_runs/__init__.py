"""From a configuration to a record and back: open a run, score and record what it leaves, load it again."""
