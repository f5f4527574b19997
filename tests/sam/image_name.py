"""Prints which image the SAM CLI runs a runtime from: image_name.py python3.13, with the Python of .venv-deploy."""

import platform
import sys

from samcli.local.docker.lambda_image import LambdaImage, Runtime

machine = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
name = Runtime.get_image_name_tag(sys.argv[1], machine)
sys.stdout.write(f"{LambdaImage._INVOKE_REPO_PREFIX}/{name}")  # noqa: SLF001  # it is nowhere else
