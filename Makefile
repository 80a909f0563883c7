# scrutinizer: `make demo` and `make test` do everything, set-up included.
LUA ?= lua5.4
ALL_LUAS = lua5.4 lua5.3 lua5.1 luajit
OUT ?= build/$(LUA)
CORE = $(OUT)/scrutinizer/core.so

CFLAGS ?= -O2 -g
WARN = -std=c99 -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes \
  -Wmissing-prototypes -Wpointer-arith
# Symbols that a C99 compiler hides unless asked: sockets, clocks, strtod_l.
DEFS = -D_POSIX_C_SOURCE=200809L
PKG = $(if $(filter luajit,$(LUA)),luajit,$(LUA))
OBJECTS = $(patsubst src/%.c,$(OUT)/obj/%.o,$(wildcard src/*.c))

.PHONY: all core env deps clean
all: deps
	@$(MAKE) --no-print-directory core

core: $(CORE)

deps:
	@.ci/deps build $(LUA)

$(CORE): $(OBJECTS)
	@mkdir -p $(@D)
	$(CC) -shared $(CFLAGS) $(LDFLAGS) -o $@ $^ $$(pkg-config --libs libcurl zlib)

$(OUT)/obj/%.o: src/%.c $(wildcard src/*.h)
	@mkdir -p $(@D)
	$(CC) $(WARN) $(DEFS) $(CFLAGS) -fPIC -fvisibility=hidden \
	  $$(pkg-config --cflags $(PKG) libcurl zlib) -c $< -o $@

# One line to eval: the module's paths for $(LUA), then Lua's own.
env: deps
	@$(MAKE) --no-print-directory -s core >&2
	@printf "export LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;' LUA_CPATH='%s/$(OUT)/?.so;;'\n" "$(CURDIR)" "$(CURDIR)" "$(CURDIR)"

clean:
	rm -rf build
