# scrutinizer: `make demo` and `make test` do everything, set-up included.
LUA ?= lua5.4
ALL_LUAS = lua5.4 lua5.3 lua5.1 luajit
# `make test` means every Lua; `make test LUA=lua5.3` one.
LUAS = $(if $(filter command environment,$(firstword $(origin LUA))),$(LUA),$(ALL_LUAS))

OUT ?= build/$(LUA)
CORE = $(OUT)/scrutinizer/core.so
CFLAGS ?= -O2 -g
WARN = -std=c99 -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes \
  -Wmissing-prototypes -Wpointer-arith
# What POSIX adds to C99: sockets, clocks.
DEFS = -D_POSIX_C_SOURCE=200809L
OBJECTS = $(patsubst src/%.c,$(OUT)/obj/%.o,$(wildcard src/*.c))

PREFIX ?= /usr/local
# Lua's own name for its folders: 5.4, 5.3, 5.1; LuaJIT uses those of 5.1.
ABI = $(patsubst lua%,%,$(subst luajit,lua5.1,$(LUA)))
SHARE_AT = $(PREFIX)/share/lua/$(ABI)
LIB_AT = $(PREFIX)/lib/lua/$(ABI)
SHARE = $(DESTDIR)$(SHARE_AT)
LIB = $(DESTDIR)$(LIB_AT)
BIN = $(DESTDIR)$(PREFIX)/bin

PORT ?= 8443
HTTP_PORT ?= 8080
STATE ?=

.PHONY: all core alloc-host threads-host scan-host scan-agree scan-agree-arm env deps install uninstall demo test sandbox openresty haproxy cqueues luv bench fuzz mutants lint format asan valgrind clean

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

# A program of its own: the core's objects and Lua, on an allocator that fails when told to (spec/core/alloc_spec.lua).
ALLOC_HOST = $(OUT)/alloc_host
WRAPPED = $(foreach f,malloc calloc realloc free,-Wl,--wrap=$(f))
alloc-host: $(ALLOC_HOST)

$(ALLOC_HOST): $(wildcard spec/alloc/*.[ch]) $(OBJECTS)
	$(CC) $(WARN) $(DEFS) $(CFLAGS) $(LDFLAGS) $$(pkg-config --cflags $(LUA)) spec/alloc/*.c $(OBJECTS) \
	  $(WRAPPED) $$(pkg-config --libs $(LUA) libcurl zlib) -lm -o $@

# Another: many Lua states in one process, a thread each (spec/hosts/threads_spec.lua builds it with ThreadSanitizer, and Lua 5.4 too).
THREADS_HOST = $(OUT)/threads_host
threads-host: $(THREADS_HOST)

$(THREADS_HOST): spec/threads/host.c $(OBJECTS)
	$(CC) $(WARN) $(DEFS) $(CFLAGS) $(LDFLAGS) $$(pkg-config --cflags $(LUA)) spec/threads/host.c $(OBJECTS) -rdynamic \
	  -Wl,--whole-archive $$(.ci/lua-archive $(OUT)/lua '$(CFLAGS)') -Wl,--no-whole-archive \
	  $$(pkg-config --libs libcurl zlib) -lm -ldl -lpthread -o $@

# Another: the push scanner over files, cut at every byte (spec/core/json_suite_spec.lua).
SCAN_HOST = $(OUT)/scan_host
SCANNER = $(foreach name,json scan utf8 buffer,$(OUT)/obj/$(name).o)
scan-host: $(SCAN_HOST)

$(SCAN_HOST): spec/scan/scan.c $(SCANNER)
	$(CC) $(WARN) $(DEFS) $(CFLAGS) $(LDFLAGS) $^ -o $@

# The scanners of this machine against a plain loop (spec/core/scan_spec.lua).
scan-agree: $(OUT)/scan_agree

$(OUT)/scan_agree: spec/scan/agree.c src/scan.c $(wildcard src/scan*.h)
	@mkdir -p $(@D)
	$(CC) $(WARN) -D_DEFAULT_SOURCE $(CFLAGS) $(LDFLAGS) -Isrc spec/scan/agree.c src/scan.c -o $@

# The same for 64-bit ARM, to be run by qemu-aarch64-static: NEON.
scan-agree-arm: $(OUT)/scan_agree_arm

$(OUT)/scan_agree_arm: spec/scan/agree.c src/scan.c $(wildcard src/scan*.h)
	@mkdir -p $(@D)
	aarch64-linux-gnu-gcc $(WARN) -D_DEFAULT_SOURCE -O2 -static -Isrc spec/scan/agree.c src/scan.c -o $@

# One line to eval: the module's paths for $(LUA), then Lua's own.
env: deps
	@$(MAKE) --no-print-directory -s core >&2
	@here=$$(printf '%s' "$(CURDIR)" | sed "s/'/'\\\\''/g"); \
	printf "export LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;' LUA_CPATH='%s/$(OUT)/?.so;;'\n" "$$here" "$$here" "$$here"

install: all
	install -d "$(LIB)/scrutinizer"
	cd lua && find scrutinizer -name '*.lua' -exec install -D -m 644 {} "$(SHARE)/{}" ';'
	install -m 755 $(CORE) "$(LIB)/scrutinizer/core.so"
	install -d "$(BIN)"
	printf '%s\n' '#!/usr/bin/env $(LUA)' \
	  'package.path = [[$(SHARE_AT)/?.lua;$(SHARE_AT)/?/init.lua;]] .. package.path' \
	  'package.cpath = [[$(LIB_AT)/?.so;]] .. package.cpath' \
	  'require "scrutinizer.main"' >"$(BIN)/scrutinizer"
	chmod 755 "$(BIN)/scrutinizer"

# Folders go too, where nothing else is in them.
uninstall:
	rm -rf "$(SHARE)/scrutinizer" "$(LIB)/scrutinizer" "$(BIN)/scrutinizer"
	cd "$(DESTDIR)$(PREFIX)" && rmdir -p --ignore-fail-on-non-empty share/lua/$(ABI) lib/lua/$(ABI) bin

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

# Examples inside other programs, in the foreground, on the appliance that SCRUTINIZER_URL names, else on a sandbox of their own.
openresty:
	@.ci/deps openresty luajit
	@$(MAKE) --no-print-directory -s core LUA=luajit
	@examples/with_sandbox examples/openresty/start

haproxy:
	@.ci/deps haproxy lua5.3
	@$(MAKE) --no-print-directory -s core LUA=lua5.3
	@examples/with_sandbox examples/haproxy/start

cqueues luv:
	@.ci/deps $@ $(LUA)
	@$(MAKE) --no-print-directory -s core
	@eval "$$($(MAKE) --no-print-directory -s env)"; examples/with_sandbox $(LUA) examples/$@_reports.lua

# The goals against their baselines, measured. Judges nothing.
bench:
	@.ci/deps bench lua5.4 lua5.3 luajit
	@spec/bench/run

# The C core under coverage-guided fuzzing, with the sanitizers; fails on a finding.
SECONDS ?= 60
fuzz:
	@.ci/deps fuzz
	@spec/fuzz/run $(SECONDS)

# Faults planted one at a time in a copy of this folder: each has a spec that must fail. FAULTS= names some; JOBS= so many at once.
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

# The specs with the core built for the sanitizers. Leaks are valgrind's matter.
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

# The specs under valgrind: errors and leaks, on Lua 5.4. A copy of the process that could not become another program is no matter.
valgrind:
	@.ci/deps valgrind lua5.4
	@SCRUTINIZER_SANITIZED=1 WRAP="valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,possible \
	  --errors-for-leak-kinds=definite --child-silent-after-fork=yes --suppressions=.ci/valgrind.supp" spec/run lua5.4

clean:
	rm -rf build
