#!/bin/sh
# Finds Chromium, in which the tests open what the project writes as HTML, or installs
# it where there is apt-get. Prints its path.
set -eu

find_browser() {
	if [ -n "${CRMWATCH_CHROMIUM:-}" ]; then
		[ -x "$CRMWATCH_CHROMIUM" ] || { echo "CRMWATCH_CHROMIUM names $CRMWATCH_CHROMIUM, which cannot be run." >&2; exit 1; }
		echo "$CRMWATCH_CHROMIUM"
		return 0
	fi
	for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
		command -v "$name" 2>/dev/null && return 0
	done
	return 1
}

find_browser && exit 0

fail() {
	echo "Could not install Chromium: $1" >&2
	echo "Install Chromium or Google Chrome so that it is on the path as chromium or google-chrome," >&2
	echo "or set CRMWATCH_CHROMIUM to its path, and run 'make browser' again." >&2
	exit 1
}

command -v apt-get >/dev/null 2>&1 || fail "there is no apt-get on this machine."
as_root=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null 2>&1 || fail "apt-get needs root, and there is no sudo."
	as_root=sudo
fi
echo "Installing Chromium with apt-get (about 300 MB)..." >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Ubuntu's package chromium is a snap, which needs snapd: it fails in a container, and
# then the reason is in the last lines.
{ $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium; } >"$log" 2>&1 ||
	fail "apt-get said: $(tail -n 3 "$log")"
find_browser || fail "apt-get installed it, and it is not on the path."
