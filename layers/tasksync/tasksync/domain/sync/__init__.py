"""How clients follow changes: the changes of one log, and a whole copy of what a user sees."""
