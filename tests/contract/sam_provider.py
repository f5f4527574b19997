"""What the SAM CLI makes of a template: python sam_provider.py TEMPLATE VARIABLES, with the Python of .venv-deploy.

Prints JSON: ``routes``, each with its method, path, function and authorizer, and the ``variables`` of each function.
"""

import json
import sys
from pathlib import Path

from samcli.commands.local.lib.local_lambda import LocalLambdaRunner
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider


def main(template: str, variables: str) -> None:
    stacks, _ = SamLocalStackProvider.get_stacks(template, parameter_overrides={})
    functions = SamFunctionProvider(stacks)
    given = json.loads(Path(variables).read_text(encoding="utf-8"))
    runner = LocalLambdaRunner(None, functions, ".", ".", env_vars_values=given)
    found = {
        "routes": [
            [method, route.path, route.function_name, route.authorizer_name]
            for route in ApiProvider(stacks).api.routes
            for method in route.methods
        ],
        "variables": {
            function.name: runner._make_env_vars(function).resolve()  # noqa: SLF001  # what `sam local` calls
            for function in functions.get_all()
        },
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
