"""The wire protocols, one file each: they frame and render, and know nothing of one another."""
