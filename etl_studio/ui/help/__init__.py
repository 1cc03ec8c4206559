"""Help inside the window: pages about pipelines and about every node, with search."""
