#!/usr/bin/env bash
# Runs a command with a Docker daemon: with_docker.sh COMMAND…
#
# That is the daemon which answers already. Otherwise, with OWN_DOCKER=1 (as .ci/run sets it) and as root on Debian, it is
# a daemon of its own, from packages that are unpacked into a cache folder and never installed; it ends with the command.
# The command is told in SAM_IMAGE which image of Lambda's runtime that daemon has. Images stay in the cache folder. Where
# neither is possible, one sentence says so, and the command is not run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

without() {
    echo "SAM local is not tried: $1"
    exit 0
}

if docker version >/dev/null 2>&1; then
    image=$(.venv-deploy/bin/python tests/sam/image_name.py "$(sed -n 's/^ *Runtime: //p' template.yaml)")
    docker image inspect "$image" >/dev/null 2>&1 || docker pull --quiet "$image" >/dev/null 2>&1 ||
        without "$image cannot be pulled."
    exec "$@"
fi
[ "${OWN_DOCKER:-}" = 1 ] || without "no Docker daemon answers (with OWN_DOCKER=1, root on Debian starts one of its own)."
[ "$(id -u)" = 0 ] || without "no Docker daemon answers, and only root can start one."
for tool in apt-get dpkg flock ip setpriv tar; do
    command -v "$tool" >/dev/null || without "no Docker daemon answers, and to start one $tool is missing."
done

cache=${XDG_CACHE_HOME:-$HOME/.cache}/tasksync/docker
packages=$cache/packages
bridge=tasksync0
mkdir -p "$cache"

# One at a time on a machine: they share the bridge, and the images.
exec 9>/run/lock/tasksync-docker
flock --nonblock 9 || { echo "Waiting for another run of these tests on this machine"; flock 9; }

if [ ! -e "$packages/complete" ]; then
    rm -rf "$packages"
    mkdir -p "$packages/archives"
    echo "Unpacking Docker into $packages"
    # Newer releases have the client in a package of its own.
    (cd "$packages/archives" && apt-get update -qq && apt-get download -qq docker.io containerd runc debootstrap &&
        { apt-get download -qq docker-cli || true; }) >/dev/null 2>&1 &&
        printf '%s\0' "$packages"/archives/*.deb | xargs -0 -I {} dpkg -x {} "$packages" ||
        without "Docker's packages cannot be downloaded here."
    rm -rf "$packages/archives"
    touch "$packages/complete"
fi
export PATH=$PATH:$packages/usr/sbin:$packages/usr/bin
export DEBOOTSTRAP_DIR=$packages/usr/share/debootstrap

# Paths of sockets have to be short.
run=$(mktemp -d)
export DOCKER_HOST=unix://$run/docker.sock

stop() {
    docker ps --quiet 2>/dev/null | xargs --no-run-if-empty docker rm --force >/dev/null 2>&1 || true
    # What SAM has built again.
    docker image prune --force >/dev/null 2>&1 || true
    if [ -n "${daemon:-}" ]; then
        kill -TERM "$daemon" 2>/dev/null || true
        wait "$daemon" || true
    fi
    ip link delete "$bridge" 2>/dev/null || true
    rm -rf "$run"
}
trap stop EXIT
trap 'exit 130' INT TERM HUP

# Containers need to reach this machine, and nothing else; so no rule of the machine's own network is touched. The
# addresses are of the range that is reserved for tests of network devices (RFC 2544), which no real network has. A bridge
# that is given no hardware address takes the lowest of its ports': it would change when a container comes or goes, and
# containers that know the old one could not reach this machine for up to a minute.
ip link delete "$bridge" 2>/dev/null || true
{ ip link add "$bridge" address 02:42:c6:12:62:01 type bridge && ip address add 198.18.98.1/24 dev "$bridge" &&
    ip link set "$bridge" up; } \
    2>"$run/log" || without "a network bridge cannot be made here ($(tail -n 1 "$run/log"))."

# It ends with this script, even if that is killed; Ctrl-C is for the command alone.
setsid setpriv --pdeathsig TERM dockerd --host "$DOCKER_HOST" --data-root "$cache/data" --exec-root "$run/exec" \
    --pidfile "$run/pid" --bridge "$bridge" --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false \
    >"$run/log" 2>&1 9>&- &
daemon=$!
for _ in $(seq 300); do
    docker version >/dev/null 2>&1 && break
    kill -0 "$daemon" 2>/dev/null || break
    sleep 0.1
done
docker version >/dev/null 2>&1 || without "dockerd does not start here ($(tail -n 1 "$run/log"))."

SAM_IMAGE=$(bash tests/sam/base_image.sh) || without "an image of Lambda's runtime cannot be made here."
export SAM_IMAGE
"$@" 9>&-
