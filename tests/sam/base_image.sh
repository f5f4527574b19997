#!/usr/bin/env bash
# Makes an image of Lambda's Python runtime where AWS's own cannot be pulled, and prints its name: Debian's Python of the
# same version, with what Lambda's Python has (tests/journeys/requirements.txt). Made again when what it is made of changes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=$(sed -n 's/^ *Runtime: python//p' template.yaml)
machine=$(uname -m)
recipe=$(cat tests/sam/base_image.sh tests/sam/bootstrap.sh tests/journeys/requirements.txt | sha256sum | cut -c 1-16)
image=tasksync-python$version:$recipe
echo "$image"
docker image inspect "$image" >/dev/null 2>&1 && exit

echo "Making an image of Lambda's runtime, once: about 2 minutes" >&2
docker image ls --quiet 'tasksync-python*' | xargs --no-run-if-empty docker image rm --force >/dev/null 2>&1 || true
made=$(mktemp -d)
root=$made/root
exec 3>&2 >"$made/log" 2>&1
trap 'status=$?; [ $status = 0 ] || tail -n 3 "$made/log" >&3; rm -rf "$made"' EXIT

# The release of Debian whose Python is of that version.
declare -A releases=([3.11]=bookworm [3.13]=trixie)
debootstrap --variant=minbase --include="python$version-minimal,libpython$version-stdlib,ca-certificates" \
    "${releases[$version]}" "$root" "$(apt-get indextargets --format '$(SITE)' | head -n 1)"
rm -rf "$root"/var/cache/apt "$root"/var/lib/apt/lists "$root"/usr/share/{doc,man,locale}
.venv-deploy/bin/python -m pip install --disable-pip-version-check --no-deps --only-binary=:all: \
    --target "$root/var/runtime" --implementation cp --python-version "$version" \
    --platform "manylinux_2_28_$machine" --platform "manylinux2014_$machine" \
    --requirement tests/journeys/requirements.txt
mkdir -p "$root/var/task" "$root/opt"
install -m 755 tests/sam/bootstrap.sh "$root/var/runtime/bootstrap"
tar -C "$root" -c . | docker import -c 'WORKDIR /var/task' \
    -c "ENV LANG=en_US.UTF-8 TZ=:UTC PATH=/usr/local/bin:/usr/bin:/bin:/opt/bin PYTHON=/usr/bin/python$version" - "$image"
