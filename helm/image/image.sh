#!/bin/sh
# Every step of the container image. The Dockerfile runs these, and so does tests/helm/image_test.py without a registry.
#
#   image.sh build SOURCE OUT       builds a release of the tree SOURCE; the binary goes to OUT/walden
#   image.sh runtime BINARY         makes the root that it runs in into one for Walden: libraries, psql, account, folders,
#                                   entrypoint. BINARY is what build made.
#   image.sh packages build|runtime prints the packages
set -eu
here=$(dirname "$(readlink -f "$0")")

account=walden
account_id=999   # as in PostgreSQL's images, so that their volumes fit
home=/var/lib/walden

# Shared libraries of the binary, and what the entrypoint calls. Debian 12.
runtime_packages="libgrpc++1.51 libprotobuf32 libprometheus-cpp-core1.0 libprometheus-cpp-pull1.0 libcivetweb1 libicu72 libssl3
  liblz4-1 libzstd1 libxxhash0 libfmt9 libtcl8.6 libcurl4 zlib1g libpg-query1504.0 libstdc++6 tzdata ca-certificates
  postgresql-client-15 gzip"

install() { # install PACKAGE...
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086
  apt-get install -y -qq --no-install-recommends "$@"
}

build() { # build SOURCE OUT
  cd "$1"
  ./dev build
  mkdir -p "$2"
  strip -o "$2/walden" build/release/node/walden
}

runtime() { # runtime BINARY
  # shellcheck disable=SC2086
  install $runtime_packages
  rm -rf /var/lib/apt/lists/*
  cp "$1" /usr/local/bin/walden.new
  chmod 755 /usr/local/bin/walden.new
  mv /usr/local/bin/walden.new /usr/local/bin/walden
  missing=$(ldd /usr/local/bin/walden | grep 'not found' || true)
  [ -z "$missing" ] || { echo "image.sh: libraries are missing: $missing" >&2; exit 1; }
  grep -q "^$account:" /etc/group || groupadd --system --gid $account_id $account
  id $account >/dev/null 2>&1 ||
    useradd --system --uid $account_id --gid $account_id --home-dir $home --shell /usr/sbin/nologin $account
  mkdir -p $home/data /var/run/postgresql /docker-entrypoint-initdb.d
  chown -R $account:$account $home /var/run/postgresql
  chmod 700 $home/data
  chmod 3777 /var/run/postgresql
  cp "$here/entrypoint.sh" /usr/local/bin/walden-entrypoint
  chmod 755 /usr/local/bin/walden-entrypoint
}

case "${1:-}" in
  build) [ $# = 3 ] && build "$2" "$3" ;;
  runtime) [ $# = 2 ] && runtime "$2" ;;
  packages) [ "${2:-}" = runtime ] && echo $runtime_packages ;;
  *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
