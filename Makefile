# agent-tools for the shell.  `make demo` and `make check` are the two to know; `make help` lists the rest.

PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
CFLAGS  ?= -O2 -g
BUILD   ?= build

BINDIR   = $(DESTDIR)$(PREFIX)/bin
SHAREDIR = $(DESTDIR)$(PREFIX)/share/agent
MANDIR   = $(DESTDIR)$(PREFIX)/share/man

VERSION := 0.1.0

ALL_CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Wshadow -Wstrict-prototypes \
	-Ilib -DVERSION='"$(VERSION)"' $(CFLAGS)
SHARE_FLAG = -DSHARE_DIR='"$(PREFIX)/share/agent"'

PROGRAMS = agent-run agent-filter agent-text agent-tools agent-collect
programs := $(foreach p,$(PROGRAMS),$(if $(wildcard cmd/$(p).c cmd/$(p)/*.c),$(BUILD)/$(p)))

# One line a file, or with V=1 the whole command; nothing with -s.
ifneq ($(filter-out 0,$(V)),)
step =
else ifneq ($(findstring s,$(firstword -$(MAKEFLAGS))),)
step = @
else
step = @$(info $(1) $(2))
endif

# $(call record,NAME,TEXT): a rule for the file $(BUILD)/NAME, which holds TEXT and is written only when TEXT has
# changed. A target that depends on it is made again after such a change.
define record
recorded-$(1) := $$(strip $(2))
$(BUILD)/$(1): $$(if $$(call same,$$(recorded-$(1)),$$(file <$(BUILD)/$(1))),,FORCE)
	@mkdir -p $$(@D)
	@printf '%s\n' '$$(subst ','\'',$$(recorded-$(1)))' >$$@
endef
same = $(and $(findstring x$(1)x,x$(2)x),$(findstring x$(2)x,x$(1)x))

object = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
lib_objects := $(call object,$(wildcard lib/*/*.c lib/*/*/*.c))
# With CHECK_EVENTS=1, every event that the programs write is checked against its schema.
ifneq ($(CHECK_EVENTS),)
lib_objects += $(call object,tests/checked_events.c)
LDFLAGS += -Wl,--wrap=event_end
endif
cmd_objects := $(call object,$(wildcard cmd/*.c cmd/*/*.c))
unit_tests := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*.c))
servers := $(patsubst tests/server/%/main.c,$(BUILD)/server/%,$(wildcard tests/server/*/main.c))
benches := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
test_objects := $(call object,$(wildcard tests/unit/*.c tests/server/*/*.c tests/bench/*.c))

all: $(programs)

help:
	@echo 'make             build the programs into $(BUILD)/'
	@echo 'make demo        install missing packages, build, and run the main example on the built-in model'
	@echo 'make check       install missing packages, build, and run every test;'
	@echo '                 T="tests/kill.bats tests/unit/sse.c" runs these files only'
	@echo 'make install     into PREFIX=$(PREFIX) (below DESTDIR); make uninstall removes it'
	@echo 'make sanitize    run the tests (or T) under AddressSanitizer and UndefinedBehaviorSanitizer'
	@echo 'make lint        clang-tidy, cppcheck, shellcheck, mandoc -Tlint, clang-format'
	@echo 'make format      format the sources by .clang-format'
	@echo 'make bench       compare with curl, jq and grep, side by side'
	@echo 'make fuzz        fuzz the parsers of external bytes (FUZZ_SECONDS each)'
	@echo 'make clean       remove $(BUILD)/'
	@echo 'V=1 prints the commands that build; CC, CFLAGS, LDFLAGS, BUILD choose how and where'

# ---- build ----

COMPILE = $(CC) $(ALL_CFLAGS)
LINK = $(CC) $(ALL_CFLAGS) $(LDFLAGS)
$(eval $(call record,compile.flags,$$(COMPILE)))
$(eval $(call record,share.flags,$$(SHARE_FLAG)))
$(eval $(call record,archive.flags,$$(AR) $$(lib_objects)))
$(eval $(call record,link.flags,$$(LINK) $$(LDLIBS)))
$(eval $(call record,programs.flags,$$(cmd_objects)))

# Which program needs which library: the readers start without libcurl; libjq is loaded when asked for.
$(BUILD)/agent-run: LDLIBS += -lcurl
$(BUILD)/agent-run $(BUILD)/agent-collect: LDLIBS += -lm

$(foreach p,$(PROGRAMS),$(eval $(BUILD)/$(p): $(call object,$(wildcard cmd/$(p).c cmd/$(p)/*.c))))

$(programs): $(BUILD)/%: $(BUILD)/libagent.a $(BUILD)/link.flags $(BUILD)/programs.flags
	$(call step,LD,$@)$(LINK) -o $@ $(filter %.o,$^) $(BUILD)/libagent.a -Wl,--as-needed $(LDLIBS) -ldl

$(BUILD)/libagent.a: $(lib_objects) $(BUILD)/archive.flags
	@rm -f $@
	$(call step,AR,$@)$(AR) rcs $@ $(filter %.o,$^)

$(unit_tests): $(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/libagent.a $(BUILD)/link.flags
	@mkdir -p $(@D)
	$(call step,LD,$@)$(LINK) -o $@ $(filter %.o %.a,$^) -Wl,--as-needed -lcurl -lm -ldl

$(foreach s,$(servers),$(eval $(s): $(call object,$(wildcard tests/server/$(notdir $(s))/*.c))))

$(servers): $(BUILD)/libagent.a $(BUILD)/link.flags
	@mkdir -p $(@D)
	$(call step,LD,$@)$(LINK) -o $@ $(filter %.o,$^) $(BUILD)/libagent.a

$(benches): $(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(BUILD)/libagent.a $(BUILD)/link.flags
	@mkdir -p $(@D)
	$(call step,LD,$@)$(LINK) -o $@ $(filter %.o %.a,$^) -Wl,--as-needed -lcurl -lm -ldl

$(BUILD)/obj/lib/base/file.o: COMPILE += $(SHARE_FLAG)
$(BUILD)/obj/lib/base/file.o: $(BUILD)/share.flags

$(BUILD)/obj/%.o: %.c $(BUILD)/compile.flags | $(BUILD)/headers.found
	@mkdir -p $(@D)
	$(call step,CC,$<)$(COMPILE) -MMD -MP -c -o $@ $<

-include $(patsubst %.o,%.d,$(lib_objects) $(cmd_objects) $(test_objects))

# Says which package is missing instead of letting the compiler fail; once for each set of flags.
$(BUILD)/headers.found: $(BUILD)/compile.flags
	@.ci/packages headers "$(CC)"
	@touch $@

# ---- the two commands ----

# They build on all cores, unless make was told how many jobs to run.
jobs = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$$(nproc))

demo:
	@.ci/packages install build
	@$(MAKE) --no-print-directory $(jobs) all
	@AGENT_BIN=$(BUILD) share/examples/demo

# T: the files to run, tests/NAME.bats or tests/unit/NAME.c; only the unit programs among them are built.
unit_of = $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(filter tests/unit/%.c,$(1)))
check:
	@.ci/packages install build test
	@$(MAKE) --no-print-directory $(jobs) all $(if $(T),$(servers) $(call unit_of,$(T)),tests)
	@BUILD=$(BUILD) tests/run $(T)

tests: $(unit_tests) $(servers)

# ---- the rest ----

SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

sanitize:
	@.ci/packages install build test
	@$(MAKE) --no-print-directory $(jobs) BUILD=$(BUILD)/sanitize CFLAGS='-O1 -g $(SANITIZE)' CHECK_EVENTS=1 \
		all $(if $(T),$(servers) $(call unit_of,$(T)),tests)
	@BUILD=$(BUILD)/sanitize tests/run $(T)

lint:
	@.ci/packages install build lint
	@CFLAGS="$(filter-out -O2 -g,$(ALL_CFLAGS))" .ci/lint

format:
	@.ci/packages install lint
	clang-format -i $$(git ls-files '*.c' '*.h')

bench:
	@.ci/packages install build bench
	@$(MAKE) --no-print-directory all $(benches) $(servers)
	@BUILD=$(BUILD) tests/bench/run

FUZZ_SECONDS ?= 60
fuzz:
	@.ci/packages install build fuzz
	@BUILD=$(BUILD)/fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) CFLAGS="$(ALL_CFLAGS)" tests/fuzz/run

install: all
	install -d $(BINDIR) $(SHAREDIR)/jq $(SHAREDIR)/tools $(MANDIR)/man1 $(MANDIR)/man5 $(MANDIR)/man7
	install -m 755 $(programs) $(BINDIR)
	install -m 644 $(wildcard share/agent/*.*) $(SHAREDIR)
	$(if $(wildcard share/agent/jq/*),install -m 644 $(wildcard share/agent/jq/*) $(SHAREDIR)/jq)
	for f in $(wildcard share/agent/tools/*); do \
		if [ -x "$$f" ]; then mode=755; else mode=644; fi; \
		install -m $$mode "$$f" $(SHAREDIR)/tools || exit 1; done
	for f in $(wildcard man/*.[157]); do install -m 644 "$$f" $(MANDIR)/man$${f##*.} || exit 1; done

uninstall:
	rm -f $(addprefix $(BINDIR)/,$(PROGRAMS))
	rm -rf $(SHAREDIR)
	for f in $(wildcard man/*.[157]); do rm -f $(MANDIR)/man$${f##*.}/$${f##*/}; done

clean:
	rm -rf $(BUILD)

.PHONY: FORCE all help demo check tests sanitize lint format bench fuzz install uninstall clean
.DELETE_ON_ERROR:
.SECONDARY:
