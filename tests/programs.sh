#!/bin/sh
# Finds the programs that the tests drive, or installs them as root with apt-get:
# - Chromium with its driver, Firefox, and WebKitGTK's browser with its driver,
# - a virtual display (Xvfb) and simulated input (xdotool) for these browsers and the desktop app,
# - Tk for the desktop app,
# - nginx for bundles on the web.
# A plain `pytest` skips the tests whose programs are missing. With `make test` they fail, unless KAROSPACE_ALL_PARTS is
# empty.
python=${1:-python3}

has() { command -v "$1" >/dev/null; }

has_chromium() {
    for name in ${KAROSPACE_CHROMIUM:-chromium chromium-browser google-chrome google-chrome-stable}; do
        has "$name" && return 0
    done
    return 1
}

missing=
has_chromium || missing="$missing chromium"
has chromedriver || missing="$missing chromium-driver"
has firefox-esr || has firefox || missing="$missing firefox-esr"
has WebKitWebDriver || missing="$missing webkit2gtk-driver"
# Software renderer, for WebGL2 in Firefox and WebKit without a GPU.
set -- /usr/lib/*/dri/swrast_dri.so
[ -e "$1" ] || missing="$missing libgl1-mesa-dri"
has Xvfb || missing="$missing xvfb"
has xdotool || missing="$missing xdotool"
PATH=$PATH:/usr/sbin has nginx || missing="$missing nginx-light"
"$python" -c 'import tkinter' 2>/dev/null || missing="$missing python3-tk"

if [ -n "$missing" ] && has apt-get && [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    # Ubuntu packages Firefox and Chromium only as snaps, which the tests cannot use. GitHub's Ubuntu runners have other
    # builds of them.
    available=
    for package in $missing; do
        if apt-cache show "$package" >/dev/null 2>&1; then
            available="$available $package"
        else
            echo "The package $package is not available; the tests that need it will report that." >&2
        fi
    done
    # At this runlevel Debian starts no service that it has just installed.
    # shellcheck disable=SC2086  # several names
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $available >/dev/null
fi
has_chromium && exit 0
echo "The browser tests need Chromium. Install it (Debian: apt-get install chromium), or name one in KAROSPACE_CHROMIUM." >&2
exit 1
