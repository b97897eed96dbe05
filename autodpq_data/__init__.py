"""Raw files to ids, labels and counts, and the fixed split."""
