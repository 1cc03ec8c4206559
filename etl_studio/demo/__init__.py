"""A small web shop and its API on loopback, with faults that can be dialled."""
