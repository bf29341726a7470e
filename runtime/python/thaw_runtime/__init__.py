"""The Python runtime: a zygote that imports the handler once, and its forks, which serve calls."""
