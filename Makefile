# scrutinizer: `make demo` and `make test` also install what they need.
LUA ?= lua5.4
ALL_LUAS = lua5.4 lua5.3 lua5.1 luajit
# `make test` runs on every Lua; `make test LUA=lua5.3` on one. lua5.5 is by name only: no release of Debian has it yet.
LUAS = $(if $(filter command environment,$(firstword $(origin LUA))),$(LUA),$(ALL_LUAS))

OUT ?= build/$(LUA)
CORE = $(OUT)/scrutinizer/core.so
CFLAGS ?= -O2 -g
WARN = -std=c99 -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes \
  -Wmissing-prototypes -Wpointer-arith
# POSIX, for sockets and clocks.
DEFS = -D_POSIX_C_SOURCE=200809L
OBJECTS = $(patsubst src/%.c,$(OUT)/obj/%.o,$(wildcard src/*.c))

PREFIX ?= /usr/local
# The version in the names of Lua's folders: 5.5, 5.4, 5.3, 5.1; LuaJIT uses 5.1.
ABI = $(patsubst lua%,%,$(subst luajit,lua5.1,$(LUA)))
SHARE_AT = $(PREFIX)/share/lua/$(ABI)
LIB_AT = $(PREFIX)/lib/lua/$(ABI)
SHARE = $(DESTDIR)$(SHARE_AT)
LIB = $(DESTDIR)$(LIB_AT)
BIN = $(DESTDIR)$(PREFIX)/bin

PORT ?= 8443
HTTP_PORT ?= 8080
STATE ?=

.PHONY: all core alloc-host threads-host scan-host scan-agree scan-agree-arm env deps install uninstall demo test sandbox openresty haproxy cqueues luv bench deb fuzz mutants lint format asan valgrind clean

all: deps
	@$(MAKE) --no-print-directory core

deps:
	@.ci/deps build $(LUA)

core: $(CORE)

$(CORE): $(OBJECTS)
	@mkdir -p $(@D)
	$(CC) -shared $(CFLAGS) $(LDFLAGS) -o $@ $^ $$(pkg-config --libs libcurl zlib)

$(OUT)/obj/%.o: src/%.c $(wildcard src/*.h)
	@mkdir -p $(@D)
	$(CC) $(WARN) $(DEFS) $(CFLAGS) -fPIC -fvisibility=hidden \
	  $$(pkg-config --cflags $(LUA) libcurl zlib) -c $< -o $@

# Test program: the core and Lua with an allocator that fails when told to (spec/core/alloc_spec.lua).
ALLOC_HOST = $(OUT)/alloc_host
WRAPPED = $(foreach f,malloc calloc realloc free,-Wl,--wrap=$(f))
alloc-host: $(ALLOC_HOST)

$(ALLOC_HOST): $(wildcard spec/alloc/*.[ch]) $(OBJECTS)
	$(CC) $(WARN) $(DEFS) $(CFLAGS) $(LDFLAGS) $$(pkg-config --cflags $(LUA)) spec/alloc/*.c $(OBJECTS) \
	  $(WRAPPED) $$(pkg-config --libs $(LUA) libcurl zlib) -lm -o $@

# Test program: many Lua states in one process, one per thread (spec/hosts/threads_spec.lua builds it and Lua 5.4 with ThreadSanitizer).
THREADS_HOST = $(OUT)/threads_host
threads-host: $(THREADS_HOST)

$(THREADS_HOST): spec/threads/host.c $(OBJECTS)
	$(CC) $(WARN) $(DEFS) $(CFLAGS) $(LDFLAGS) $$(pkg-config --cflags $(LUA)) spec/threads/host.c $(OBJECTS) -rdynamic \
	  -Wl,--whole-archive $$(.ci/lua-archive $(OUT)/lua '$(CFLAGS)') -Wl,--no-whole-archive \
	  $$(pkg-config --libs libcurl zlib) -lm -ldl -lpthread -o $@

# Test program: runs the push scanner over files, cut at every byte (spec/core/json_suite_spec.lua).
SCAN_HOST = $(OUT)/scan_host
SCANNER = $(foreach name,json scan utf8 buffer,$(OUT)/obj/$(name).o)
scan-host: $(SCAN_HOST)

$(SCAN_HOST): spec/scan/scan.c $(SCANNER)
	$(CC) $(WARN) $(DEFS) $(CFLAGS) $(LDFLAGS) $^ -o $@

# Test program: compares the scanners of this machine with a plain loop (spec/core/scan_spec.lua).
scan-agree: $(OUT)/scan_agree

$(OUT)/scan_agree: spec/scan/agree.c src/scan.c $(wildcard src/scan*.h)
	@mkdir -p $(@D)
	$(CC) $(WARN) -D_DEFAULT_SOURCE $(CFLAGS) $(LDFLAGS) -Isrc spec/scan/agree.c src/scan.c -o $@

# The same for 64-bit ARM (NEON); qemu-aarch64-static runs it.
scan-agree-arm: $(OUT)/scan_agree_arm

$(OUT)/scan_agree_arm: spec/scan/agree.c src/scan.c $(wildcard src/scan*.h)
	@mkdir -p $(@D)
	aarch64-linux-gnu-gcc $(WARN) -D_DEFAULT_SOURCE -O2 -static -Isrc spec/scan/agree.c src/scan.c -o $@

# Prints one line to eval: the module's paths for $(LUA), then Lua's default paths.
env: deps
	@$(MAKE) --no-print-directory -s core >&2
	@here=$$(printf '%s' "$(CURDIR)" | sed "s/'/'\\\\''/g"); \
	printf "export LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;' LUA_CPATH='%s/$(OUT)/?.so;;'\n" "$$here" "$$here" "$$here"

# The command starts its Lua through PATH, unless that Lua has a prefix of its own, as OpenResty's has.
install: all
	install -d "$(LIB)/scrutinizer"
	cd lua && find scrutinizer -name '*.lua' -exec install -D -m 644 {} "$(SHARE)/{}" ';'
	install -m 755 $(CORE) "$(LIB)/scrutinizer/core.so"
	install -d "$(BIN)"
	own=$$(pkg-config --variable=prefix $(LUA))/bin/$(LUA); \
	case $$own in /usr/bin/*) own= ;; *) [ -x "$$own" ] || own= ;; esac; \
	printf '%s\n' "#!$${own:-/usr/bin/env $(LUA)}" \
	  'package.path = [[$(SHARE_AT)/?.lua;$(SHARE_AT)/?/init.lua;]] .. package.path' \
	  'package.cpath = [[$(LIB_AT)/?.so;]] .. package.cpath' \
	  'require "scrutinizer.main"' >"$(BIN)/scrutinizer"
	chmod 755 "$(BIN)/scrutinizer"

# Also removes folders that are then empty.
uninstall:
	rm -rf "$(SHARE)/scrutinizer" "$(LIB)/scrutinizer" "$(BIN)/scrutinizer"
	cd "$(DESTDIR)$(PREFIX)" && rmdir -p --ignore-fail-on-non-empty share/lua/$(ABI) lib/lua/$(ABI) bin

# A Debian package of the module for $(LUA) in the folder DEB; prints its path.
DEB ?= build
deb:
	@.ci/deps deb $(LUA)
	@.ci/deb $(LUA) '$(DEB)'

demo:
	@.ci/deps demo $(LUA)
	@$(MAKE) --no-print-directory -s core
	@examples/demo $(LUA)

test:
	@.ci/deps test $(LUAS)
	@spec/run $(LUAS)

sandbox:
	@.ci/deps demo
	@PORT=$(PORT) HTTP_PORT=$(HTTP_PORT) STATE='$(STATE)' exec examples/sandbox/start

# Examples inside other programs. They run in the foreground, with the appliance of SCRUTINIZER_URL; if it is not set, with a sandbox.
openresty:
	@.ci/deps openresty luajit
	@$(MAKE) --no-print-directory -s core LUA=luajit
	@examples/with_sandbox examples/openresty/start

haproxy:
	@.ci/deps haproxy
	@lua=$$(.ci/haproxy-lua) && .ci/deps build $$lua && $(MAKE) --no-print-directory -s core LUA=$$lua
	@examples/with_sandbox examples/haproxy/start

cqueues luv:
	@.ci/deps $@ $(LUA)
	@$(MAKE) --no-print-directory -s core
	@eval "$$($(MAKE) --no-print-directory -s env)"; examples/with_sandbox $(LUA) examples/$@_reports.lua

# Measures the performance goals and their baselines. Never fails because of a figure.
bench:
	@.ci/deps bench lua5.4 lua5.3 luajit
	@spec/bench/run

# Fuzzes the C core (coverage-guided, with sanitizers) for SECONDS; fails on a finding.
SECONDS ?= 60
fuzz:
	@.ci/deps fuzz
	@spec/fuzz/run $(SECONDS)

# Plants faults, one at a time, in a copy of this folder. For each fault a spec must fail. FAULTS= selects some; JOBS= how many at once.
mutants:
	@.ci/deps test $(LUA)
	@spec/mutants/run -j $(or $(JOBS),1) $(FAULTS)

lint:
	@.ci/deps lint
	luacheck -q lua spec examples
	.ci/locale
	clang-format --dry-run --Werror src/*.[ch]

format:
	clang-format -i src/*.[ch]

# Runs the specs with a core built with sanitizers. `make valgrind` checks for leaks.
SANITIZERS = $$($(CC) -print-file-name=libasan.so):$$($(CC) -print-file-name=libubsan.so):$(CURDIR)/build/unpreload.so
asan:
	@.ci/deps test $(LUAS)
	@mkdir -p build
	@$(CC) -shared -fPIC -o build/unpreload.so .ci/unpreload.c
	@for lua in $(LUAS); do \
	  OUT=build/asan-$$lua CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined' \
	  ASAN_OPTIONS=detect_leaks=0 SCRUTINIZER_SANITIZED=1 \
	  SCRUTINIZER_WRAP="env LD_PRELOAD=$(SANITIZERS)" WRAP="env LD_PRELOAD=$(SANITIZERS)" spec/run $$lua || exit 1; \
	done

# Runs the specs under valgrind, on Lua 5.4: memory errors and leaks. Forked processes are not checked.
valgrind:
	@.ci/deps valgrind lua5.4
	@SCRUTINIZER_SANITIZED=1 WRAP="valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,possible \
	  --errors-for-leak-kinds=definite --child-silent-after-fork=yes --suppressions=.ci/valgrind.supp" spec/run lua5.4

clean:
	rm -rf build
