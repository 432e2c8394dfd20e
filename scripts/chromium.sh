#!/usr/bin/env bash
# The browser tests drive Debian's Chromium; installs it where it is absent.
set -euo pipefail
if command -v chromium >/dev/null 2>&1; then exit 0; fi
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
    echo "The browser tests need Chromium. Install it first, for example: sudo apt-get install chromium" >&2
    exit 1
fi
echo "Installing Debian's chromium"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp /tmp/citewise-chromium.XXXXXX)
{ apt-get update && apt-get install -y --no-install-recommends chromium fonts-wqy-zenhei; } >"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
