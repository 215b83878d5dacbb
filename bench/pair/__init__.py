"""The peer: Django's admin on the same tables, in an environment of its own (``requirements/bench.txt``)."""
