"""The connections of live updates: who may open one, and which are open."""
