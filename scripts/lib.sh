# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Functions that the scripts of this folder share. To be sourced; does nothing by itself.

# Everything that is downloaded and not installed lives here; deleting it costs only time.
#   go/VERSION       a GOROOT         bin/NAME      one tool
#   go-build         Go's build cache tools/NAME    what the tools were unpacked from
#   apt/SUITE        package lists    real/FROM/NAME programs as others released them, unpacked
: "${GOLEAKD_CACHE:=${XDG_CACHE_HOME:-$HOME/.cache}/goleakd}"
[[ $GOLEAKD_CACHE == /* ]] || GOLEAKD_CACHE=$PWD/$GOLEAKD_CACHE
export GOLEAKD_CACHE

# Debian keeps bpftool there, and users other than root do not look there.
PATH=$PATH:/usr/sbin:/sbin

say() { printf '[%s] %s\n' "${0##*/}" "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

# as_root CMD...: runs CMD as root, by sudo when we are somebody else.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "this needs root: $* (run me as root or install sudo)"
  fi
}

# go_root VERSION: prints the GOROOT of the cached toolchain of Go VERSION (as in 1.27).
go_root() {
  local root=$GOLEAKD_CACHE/go/$1
  [[ -x $root/bin/go ]] || die "no Go $1 in $GOLEAKD_CACHE; run: scripts/setup --test"
  printf '%s\n' "$root"
}

# with_go VERSION CMD...: runs CMD with that toolchain first in PATH, in an environment in which Go takes nothing from
# the network, nor from the user's own Go settings.
with_go() {
  local root
  root=$(go_root "$1") || return
  shift
  env -u GOROOT -u GOPATH PATH="$root/bin:$PATH" GOENV=off GOTOOLCHAIN=local GOPROXY=off GOFLAGS=-mod=mod \
    GOCACHE="$GOLEAKD_CACHE/go-build" GOPATH="$GOLEAKD_CACHE/gopath" CGO_ENABLED="${CGO_ENABLED:-0}" "$@"
}

# cached_bin NAME: prints the path of a cached tool: prometheus, promtool, prometheus-alertmanager, amtool or bpftrace.
cached_bin() {
  local bin=$GOLEAKD_CACHE/bin/$1
  [[ -x $bin ]] || die "no $1 in $GOLEAKD_CACHE; run: scripts/setup --test"
  printf '%s\n' "$bin"
}

# llvm_tool NAME: prints the newest of clang-format, clang-tidy, … that is installed with a version in its name.
llvm_tool() {
  local version
  for version in 21 20 19 18 17 16; do
    if command -v "$1-$version"; then return; fi
  done
  die "no $1 of version 16 or newer; run: scripts/setup --test"
}
