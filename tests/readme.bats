#!/usr/bin/env bats
# The tour of README.md shows the output of the programs; its tables match the tree.
#
# A block fenced by ```console is run: its commands, each after "$ " with the here-document that belongs to it, in order, in
# one shell, in an empty folder. One with more words after "console" is not run; they say what it would need.
# README_NOW=FILE writes the README with the current output to FILE: check the changes, then copy it.
load helper

# tour: README.md with the output of its console blocks as the programs give it now.
tour() {
	local line command end running=0 skipping=0
	while IFS= read -r line; do
		case $line in
		'```console') running=1 ;;
		'```') [ $running = 0 ] || skipping=0 running=0 ;;
		esac
		if [ $running = 0 ]; then
			printf '%s\n' "$line"
			continue
		fi
		case $line in
		'$ '*) skipping=1 command=${line#??} ;;
		*)
			[ $skipping = 1 ] || printf '%s\n' "$line"
			continue
			;;
		esac
		printf '%s\n' "$line"
		if [[ $command == *"<<'EOF'"* ]]; then
			end=
			while [ "$end" != EOF ] && IFS= read -r end; do
				printf '%s\n' "$end"
				command+=$'\n'$end
			done
		fi
		eval "$command" 2>&1 </dev/null || true
	done <"$BATS_TEST_DIRNAME/../README.md"
}

# mask: what differs from run to run, ids and times, made the same.
mask() {
	sed -E 's/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/ID/g; s/ +[0-9]+\.[0-9]{2}s/ TIME/g'
}

@test "the tour shows the output of the programs" {
	mkdir "$BATS_TEST_TMPDIR/tour"
	cd "$BATS_TEST_TMPDIR/tour" || return
	tour >../now
	cp ../now "${README_NOW:-/dev/null}"
	[ "$(grep -c '^\$ ' ../now)" -gt 20 ]
	mask <"$BATS_TEST_DIRNAME/../README.md" >../said
	mask <../now >../is
	diff ../said ../is
}

@test "every link and folder of the README is there" {
	local path
	while read -r path; do
		assert_exist "$path"
	done < <(grep -oE '\]\([a-z][^)#]*\)|^\| `[a-z]+/[a-z/]+`' README.md | tr -d '](|` )')
}

@test "every folder of the library has a line in the README" {
	run -0 diff <(printf '%s\n' lib/*/ | sed 's|/$||') <(grep -oE '^\| `lib/[a-z]+`' lib/README.md | tr -d '|` ' | sort)
}

@test "the exit statuses of the README are those of the pages" {
	local status
	run -0 grep -A1 'Exit statuses' README.md
	for status in $(sed -n '/^\.Sh EXIT STATUS/,/^\.Sh [^E]/p' man/agent-run.1 man/agent-collect.1 man/agent-text.1 |
		sed -nE 's/^\.It ([0-9]+).*/\1/p' | sort -un); do
		assert_output --regexp "(^|[^0-9])$status "
	done
}

@test "the providers of the README speak that protocol and take that key" {
	local protocol cell name
	agent-run --list-providers >"$BATS_TEST_TMPDIR/providers"
	while IFS='|' read -r _ protocol cell; do
		for name in $(grep -oE '`[a-z][a-z-]*`|`[A-Z_]*_KEY`' <<<"$cell" | tr -d '`'); do
			awk -F'\t' -v protocol="$protocol" -v name="$name" '
				$2 == protocol && ($1 == name || index($4, name) > 0) { found = 1 }
				END { exit !found }' "$BATS_TEST_TMPDIR/providers" || fail "$protocol: $name"
		done
	done < <(sed -n '/^| protocol/,/^| built in/p' README.md | grep '^| `' | tr -d ' ' | sed -E 's/^\|`([a-z-]+)`/|\1/')
}

@test "make install installs programs that run from there; make uninstall removes all files" {
	local to=$BATS_TEST_TMPDIR/root prefix=/opt/agent
	[ -e "$BUILD/agent-run" ]
	make -s -o all install BUILD="$BUILD" PREFIX=$prefix DESTDIR="$to" >&2
	run -0 diff <(cd "$to$prefix" && find . -type f | sort) <({
		printf './bin/%s\n' agent-run agent-filter agent-text agent-tools agent-collect
		find share/agent -type f | sed 's|^share|./share|'
		find man -type f | sed -E 's|^man/(.*)\.(.)$|./share/man/man\2/\1.\2|'
	} | sort)
	cd "$BATS_TEST_TMPDIR"
	touch file
	env -u AGENT_SHARE "$to$prefix/bin/agent-run" -m test -t list_dir 'what is here?' </dev/null >events
	run -0 "$to$prefix/bin/agent-text" events
	assert_line file
	cd "$OLDPWD"
	make -s uninstall PREFIX=$prefix DESTDIR="$to"
	assert_equal "$(find "$to" -type f)" ""
	assert_not_exist "$to$prefix/share/agent"
}
