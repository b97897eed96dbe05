"""The packed model: one file as small as the paper's claim, written from a trained model, read anywhere."""
