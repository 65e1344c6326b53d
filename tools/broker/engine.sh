#!/usr/bin/env bash
# A container engine and a local Kafka image, from packages only. For machines without them, as root on Debian:
#   engine.sh start   installs what is missing, starts dockerd unless an engine answers, builds the image unless it is there
#   engine.sh stop    ends the dockerd that `start` started; the image stays cached
# Each step is skipped when it was done before. State lives in SLUICE_ENGINE (default: /var/lib/sluice-engine), outside the
# repository, so that every clone on the machine finds the image.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
state=${SLUICE_ENGINE:-/var/lib/sluice-engine}
pid_file=$state/dockerd.pid
node=$root/node_modules/.bin/node

say() { printf 'engine: %s\n' "$*"; }
answers() { docker info --format '{{.ServerVersion}}' >/dev/null 2>&1; }
running() { [ -s "$pid_file" ] && [ "$(cat "/proc/$(cat "$pid_file")/comm" 2>/dev/null)" = dockerd ]; }

install_packages() {
  local wanted=()
  command -v dockerd >/dev/null || wanted+=(docker.io)
  command -v iptables >/dev/null || wanted+=(iptables)
  command -v debootstrap >/dev/null || wanted+=(debootstrap)
  [ ${#wanted[@]} -eq 0 ] && return
  [ "$(id -u)" = 0 ] || { say "${wanted[*]} missing, and only root can install"; exit 1; }
  command -v apt-get >/dev/null || { say "${wanted[*]} missing, and there is no apt-get"; exit 1; }
  say "installing ${wanted[*]}"
  apt-get update -qq >/dev/null
  # Newer releases of Debian carry the client in a package of its own.
  if ! command -v docker >/dev/null && apt-cache show docker-cli >/dev/null 2>&1; then wanted+=(docker-cli); fi
  # The package would start a daemon of its own, with another data folder: installed only.
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null 2>&1
}

start_engine() {
  local driver
  mkdir -p "$state"
  for driver in overlay2 fuse-overlayfs vfs; do
    say "starting dockerd ($driver)"
    # --ip: whatever is published is published on loopback.
    setsid nohup dockerd --storage-driver="$driver" --ip 127.0.0.1 --data-root "$state/data" --exec-root "$state/exec" \
      --pidfile "$pid_file" >"$state/dockerd.log" 2>&1 </dev/null &
    local child=$!
    for _ in $(seq 150); do
      answers && return
      kill -0 "$child" 2>/dev/null || break
      sleep 0.2
    done
    kill "$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  done
  tail -n 5 "$state/dockerd.log"
  exit 1
}

case ${1:-start} in
  start)
    if ! answers; then
      install_packages
      start_engine
    fi
    say "engine $(docker info --format '{{.ServerVersion}}, {{.Driver}}') answers"
    "$node" "$root/tools/broker/src/build-image.ts"
    ;;
  stop)
    if running; then
      pid=$(cat "$pid_file")
      kill "$pid"
      for _ in $(seq 100); do running || break; sleep 0.1; done
      say "dockerd $pid ended"
    fi
    ;;
  *)
    say "usage: engine.sh start|stop"
    exit 2
    ;;
esac
