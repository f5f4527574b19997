"""Brings items that were stored by earlier versions to the form of this one."""
