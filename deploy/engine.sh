#!/bin/sh
# Fetches libchdb, the embedded ClickHouse engine, out of its npm package, checks it
# against the pinned checksum, and keeps it in the user's cache. Prints its path.
set -eu

version=26.7.3-stable.1
case "$(uname -s)-$(uname -m)" in
Linux-x86_64)
	package=@chdb/lib-linux-x64-gnu
	sha512=XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw==
	;;
*)
	echo "No engine library is pinned for $(uname -s) on $(uname -m)." >&2
	echo "Build or download libchdb $version for it, and set CRMWATCH_LIBCHDB=/path/to/libchdb.so." >&2
	exit 1
	;;
esac

if [ -n "${CRMWATCH_LIBCHDB:-}" ]; then
	[ -f "$CRMWATCH_LIBCHDB" ] || { echo "CRMWATCH_LIBCHDB names $CRMWATCH_LIBCHDB, which is not there." >&2; exit 1; }
	echo "$CRMWATCH_LIBCHDB"
	exit 0
fi

dir=${XDG_CACHE_HOME:-$HOME/.cache}/crmwatch/chdb-$version
lib=$dir/libchdb.so
if [ -f "$lib" ]; then
	echo "$lib"
	exit 0
fi

fail() {
	echo "Could not fetch the engine library: $1" >&2
	echo "It is the file libchdb.so in the npm package $package@$version." >&2
	echo "Either make 'npm' able to fetch that package and run 'make engine' again," >&2
	echo "or put libchdb.so at $lib" >&2
	echo "or anywhere else and set CRMWATCH_LIBCHDB to its path." >&2
	exit 1
}

command -v npm >/dev/null 2>&1 || fail "there is no npm on this machine (Debian: apt-get install npm)."
command -v openssl >/dev/null 2>&1 || fail "there is no openssl to check the download with (Debian: apt-get install openssl)."

mkdir -p "$dir"
work=$(mktemp -d "$dir/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "Fetching $package@$version (178 MB)..." >&2
(cd "$work" && npm pack --silent "$package@$version" >/dev/null 2>npm.log) || fail "npm pack said: $(tail -n 1 "$work/npm.log" 2>/dev/null)"
archive=$(ls "$work"/*.tgz)
found=$(openssl dgst -sha512 -binary "$archive" | openssl base64 -A)
[ "$found" = "$sha512" ] || fail "the checksum is $found, expected $sha512."
tar -xzf "$archive" -C "$work" package/libchdb.so || fail "the package does not hold package/libchdb.so."
mv "$work/package/libchdb.so" "$lib"
echo "$lib"
