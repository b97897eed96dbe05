"""What measures: each file takes its figures and builds its table. Users need none of it."""
