#!/usr/bin/env bats
# --help, which each program writes from its table of options, and the man pages name the same options.
load helper

PROGRAMS="agent-run agent-filter agent-text agent-tools agent-collect"

# Each function prints one option a line, sorted: `-x`, `--long`.
options_of_help() {
	"$1" --help | grep -E '^ +-' | sed -E 's/^ +//; s/  .*//' |
		grep -oE -- '(^| )--?[A-Za-z][a-z-]*' | tr -d ' ' | sort -u
}

options_of_page() {
	awk '/^\.It Fl/ {
		for (i = 3; i <= NF; i++) {
			if ($i == "Ar" || $i == "Ns" || $i == "Li") break
			if ($i ~ /^-/ || (i == 3 && $i ~ /^[A-Za-z]$/)) print "-" $i
			if ($i == ",") continue
		}
		while (match($0, /Fl -[a-z-]+/)) {
			print "-" substr($0, RSTART + 3, RLENGTH - 3)
			$0 = substr($0, RSTART + RLENGTH)
		}
	}' "man/$1.1" | sort -u
}

@test "every option is in the program's --help and its page" {
	local program
	for program in $PROGRAMS; do
		options_of_help "$program" >"$BATS_TEST_TMPDIR/help"
		options_of_page "$program" >"$BATS_TEST_TMPDIR/page"
		[ "$(wc -l <"$BATS_TEST_TMPDIR/help")" -gt 15 ]
		echo "$program: help, page" && diff "$BATS_TEST_TMPDIR/help" "$BATS_TEST_TMPDIR/page"
	done
}

@test "agent(7) has the letters of the options of all programs" {
	local program
	# "LETTER PROGRAM LONG-NAME" for each
	for program in $PROGRAMS; do
		"$program" --help | sed -nE "s/^ +-([A-Za-z]), --([a-z-]+).*/\\1 $program \\2/p"
	done | sort >"$BATS_TEST_TMPDIR/help"
	awk -F ' Ta ' -v programs="$PROGRAMS" '
		BEGIN { split(programs, name, " ") }
		/^\.It [A-Za-z] Ta / {
			for (i = 2; i <= NF; i++) if ($i != "\\&") print substr($1, 5), name[i - 1], $i
		}' man/agent.7 | sort >"$BATS_TEST_TMPDIR/page"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/help")" -gt 40 ]
	diff "$BATS_TEST_TMPDIR/help" "$BATS_TEST_TMPDIR/page"
}

@test "a wrong option is reported with the name that was probably meant" {
	local program
	for program in $PROGRAMS; do
		run "$program" --versoin
		assert_failure 2
		assert_output "$program: unrecognized option '--versoin' (did you mean --version?)
try '$program --help'"
	done
	run agent-text --unlike-any-other
	assert_line "agent-text: unrecognized option '--unlike-any-other'"
	run agent-text -q
	assert_failure 2
	assert_line "agent-text: invalid option -- 'q'"
	run agent-run --log
	assert_failure 2
	assert_line "agent-run: option '--log' requires an argument"
	run agent-run -nl
	assert_failure 2
	assert_line "agent-run: option requires an argument -- 'l'"
	run agent-run --raw=3
	assert_failure 2
	assert_line "agent-run: option '--raw' has no argument"
}

@test "names of options cannot be abbreviated" {
	run agent-run --max-token=5 hi
	assert_failure 2
	assert_line "agent-run: unrecognized option '--max-token' (did you mean --max-tokens?)"
	run agent-run hi --max-token 5
	assert_failure 2
	assert_line "agent-run: unrecognized option '--max-token' (did you mean --max-tokens?)"
	run agent-run hi --max-tokens 50 --model test --raw -- --raw
	assert_success
}

@test "--help fits a terminal of 100 columns" {
	local program
	for program in $PROGRAMS; do
		run --separate-stderr "$program" --help
		assert_success
		assert_equal "$stderr" ""
		assert_equal "$(awk 'length > 100' <<<"$output")" ""
	done
}

@test "--help ends with the exit statuses and the page" {
	local program
	for program in $PROGRAMS; do
		run "$program" --help
		assert_line --regexp '^Exit status: '
		assert_line --partial "See $program(1)."
	done
}

@test "a page's macro lines keep the quotes of their JSON" {
	# A word that begins with a quote is a quoted word to roff, which does not show the quotes. Where it goes on
	# behind the second one, they were meant to be shown.
	run grep -nE '^\.(Ql|Dq|Sq|Li|D1|Dl)( .*)? "[^"]*"[^ "]' man/*.[157]
	assert_failure 1
}

@test "the pages name each other only where there is a page" {
	local page section name
	for page in man/*.[157]; do
		while read -r name section; do
			case $name in
			agent-*) assert_file_exist "man/$name.$section" ;;
			esac
		done < <(sed -nE 's/^\.Xr ([^ ]+) ([0-9]).*/\1 \2/p' "$page")
	done
}

# page FILE: a page as it is shown on a terminal of 80 columns.
page() {
	mandoc -T utf8 -O width=80 "$1" 2>/dev/null | sed 's/.\x08//g' | expand
}

# paragraphs: each paragraph on one line.
paragraphs() {
	awk -v RS= '{ gsub(/[ \n]+/, " "); print }'
}

@test "mandoc finds nothing to improve in the pages" {
	command -v mandoc >/dev/null || skip "mandoc is not installed"
	# Where the database of manual pages does not know other packages' pages depends on the machine.
	run bash -c 'mandoc -T lint -W style man/*.[157] 2>/dev/null | grep -v "makewhatis\|referenced manual not found"'
	assert_output ''
}

@test "headings and literal text keep all their words" {
	# A word such as An, Op or No in the arguments of a macro is a macro, too, unless it follows \&.
	command -v mandoc >/dev/null || skip "mandoc is not installed"
	local file heading macros='A[cdnopqrt]|B[cfkloqstx]|C[dm]|D[1bcdloqtvx]|E[cdfklmnorsv]|F[cdlnort]|Hf|I[cnt]|L[bipt]|M[st]|N[dmosx]'
	macros+='|O[ceopstx]|P[acfopq]|Q[cloq]|R[esv]|S[cmoqxy]|T[anu]|U[dtx]|V[at]|X[cor]'
	for file in man/*.[157]; do
		page "$file" | grep -E '^ {0,3}[^ ]' | sed 's/^ *//' >"$BATS_TEST_TMPDIR/headings"
		while read -r heading; do
			grep -qxF -- "$heading" "$BATS_TEST_TMPDIR/headings" || fail "$file: the heading \"$heading\" is not shown whole"
		done < <(sed -nE 's/^\.S[hs] //; T; s/\\&//gp; t; p' "$file")
		# The same for literal text; with Ns, a macro is meant.
		run bash -c "sed '/ Ns /d' '$file' | grep -E '^\.(Ql|Sq|Dq|Dl|D1)( .*)? ($macros)( |$)'"
		[ "$status" -eq 1 ] || fail "$file: $output: a word is a macro"
	done
}

@test "the pages fit 80 columns, and each line of an example is one line" {
	command -v mandoc >/dev/null || skip "mandoc is not installed"
	local file line shown=$BATS_TEST_TMPDIR/shown
	for file in man/*.[157]; do
		# As man shows it on a terminal of 80 columns.
		mandoc -T utf8 -O width=78 "$file" 2>/dev/null | sed 's/.\x08//g' | expand >"$shown"
		LC_ALL=C.UTF-8 run grep -nE '^.{79}' "$shown"
		assert_output ''
		while read -r line; do
			sed 's/^ *//' "$shown" | grep -qxF -- "$line" || fail "$file: this line does not fit: $line"
		done < <(sed -nE 's/^\.Dl //; T; s/\\\(dq/"/g; s/\\\(aq/'"'"'/g; s/\\&//g; s/\\e/\\/g; p' "$file")
	done
}

@test "quotes and brackets of the pages match" {
	command -v mandoc >/dev/null || skip "mandoc is not installed"
	local file
	for file in man/*.[157]; do
		page "$file" | paragraphs >"$BATS_TEST_TMPDIR/paragraphs"
		run grep -oE '‘[^’]*‘.{0,20}|.{0,20}’[^‘]*’|\[=?[A-Z]+,[^]]*--.{0,20}' "$BATS_TEST_TMPDIR/paragraphs"
		[ -z "$output" ] || fail "$file: $output"
		# Brackets count where no literal text, such as JSON or a command, cuts or nests them.
		run awk '{ line = $0; gsub(/‘[^’]*’/, ""); if (gsub(/\(/, "") != gsub(/\)/, "") || gsub(/\[/, "") != gsub(/\]/, "")) print line }' \
			"$BATS_TEST_TMPDIR/paragraphs"
		[ -z "$output" ] || fail "$file: $output"
	done
}
