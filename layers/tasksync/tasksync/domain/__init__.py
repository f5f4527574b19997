"""Domain services: who may do what. They import no AWS library; repositories are passed to their constructors."""
