"""Compares each task of the old table with its copy, whole, and writes a copy anew that differs.

A difference means that a function of the version before still wrote after the task had been copied.
"""

from tasksync.dynamodb.migrations.m0006_tasks_copied import TasksCopied


class CopiesCompared(TasksCopied):
    id = "0007-copies-compared"
    description = "copies of tasks are as the tasks are"
