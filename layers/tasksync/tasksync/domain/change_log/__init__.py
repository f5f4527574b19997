"""The change log: how changes become entries, how entries are put in order, and who may read them."""
