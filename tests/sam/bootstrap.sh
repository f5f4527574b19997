#!/bin/sh
# Starts a function as Lambda's runtime does: its code comes first, then its layers, then the SDK and the runtime client.
cd "${LAMBDA_TASK_ROOT:=/var/task}" || exit
export LAMBDA_TASK_ROOT
export PYTHONPATH="$LAMBDA_TASK_ROOT:/opt/python:/var/runtime"
exec "$PYTHON" -m awslambdaric "$_HANDLER"
