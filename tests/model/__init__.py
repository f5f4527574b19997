"""An explicit-state model of how rooms, memberships, tasks and users live and die; see ``docs/protocol-model.md``."""
