"""What others do with the same changes, measured beside ours."""
