#!/bin/sh
# Finds a Chromium for the browser tests, or installs one where that can be done without asking.
for name in ${KAROSPACE_CHROMIUM:-chromium chromium-browser google-chrome google-chrome-stable}; do
    command -v "$name" >/dev/null && exit 0
done
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null && exit 0
fi
echo "The browser tests need Chromium. Install it (Debian: apt-get install chromium), or name one in KAROSPACE_CHROMIUM." >&2
exit 1
