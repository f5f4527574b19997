"""The model that all layers share: entities, ids, errors, queries. No I/O, and no import of other layers."""
