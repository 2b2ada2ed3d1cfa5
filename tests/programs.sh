#!/bin/sh
# Finds the programs that tests drive, or installs them where no confirmation is needed: a Chromium with its driver,
# Firefox, and WebKitGTK's browser with its driver; for those and the desktop app a virtual display (Xvfb) and simulated input (xdotool); for
# the app Tk; for bundles on the web an nginx. Without them, tests of a plain `pytest` skip, and those of `make test`
# fail, unless KAROSPACE_ALL_PARTS is empty.
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
    # Ubuntu has Firefox and Chromium as snaps only, which are of no use to tests: its GitHub runners come with others.
    known=
    for package in $missing; do
        if apt-cache show "$package" >/dev/null 2>&1; then
            known="$known $package"
        else
            echo "There is no package $package here; the tests that need it report it." >&2
        fi
    done
    # At this runlevel Debian starts no service that it has just installed.
    # shellcheck disable=SC2086  # several names
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $known >/dev/null
fi
has_chromium && exit 0
echo "The browser tests need Chromium. Install it (Debian: apt-get install chromium), or name one in KAROSPACE_CHROMIUM." >&2
exit 1
