#!/bin/sh
# Makes ./configure from configure.ac (Debian: autoconf automake pkg-config).
set -e
cd "$(dirname "$0")"
exec autoreconf --install --force --warnings=all,no-portability
