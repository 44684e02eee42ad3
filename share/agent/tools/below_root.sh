# shellcheck shell=sh
# below_root.sh: read_file and list_dir stay below one folder: $AGENT_ROOT (agent-run --root), or else
# the working directory. What they have opened is checked, not its path: the kernel knows where an open
# file is, whatever links led to it, and whoever changes them meanwhile.

fail() {
	printf '%s: %s\n' "${0##*/}" "$1" >&2
	exit 1
}

# Whether the absolute path $1, which has no symbolic links, is $root or below it.
is_below_root() {
	case ${1%/}/ in "${root%/}"/*) ;; *) return 1 ;; esac
}

outside() {
	fail "$shown: is outside of $root, below which files can be read"
}

# Whether $1 leads to a place below $root. If it does not exist, what there is of it decides, so that
# nobody learns what exists elsewhere.
leads_below_root() {
	near=$1
	until [ -e "$near" ] || [ -L "$near" ]; do
		case $near in ?*/*) near=${near%/*} ;; *) near=/ ;; esac
	done
	is_below_root "$(readlink -f -- "$near")"
}

# find_path PATH WHAT: set $path to the path to open: PATH from the working directory, or if it is not
# there or not below $root, from $root.
find_path() {
	shown=$1
	missing=
	case $1 in
	/*) set -- "$1" "$1" "$2" ;;
	*) set -- "./$1" "${root%/}/$1" "$2" ;;
	esac
	for path in "$1" "$2"; do
		leads_below_root "$path" || continue
		[ ! -e "$path" ] || return 0
		missing=yes
	done
	[ -z "$missing" ] || fail "$shown: no such $3"
	outside
}

unset CDPATH
case ${AGENT_ROOT:=.} in -*) AGENT_ROOT=./$AGENT_ROOT ;; esac
root=$(cd -P "$AGENT_ROOT" 2>/dev/null && pwd -P && echo .) || fail "$AGENT_ROOT: no such directory"
root=${root%??} # the newline and the dot, which keeps newlines of the name
