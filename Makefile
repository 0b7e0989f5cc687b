# make demo    build, and send signed orders through a local gateway
# make test    every test; SPEC=spec/unit/base/json_spec.lua for one file or folder
# make help    the other targets

LUA      ?= 5.4
CC       ?= cc
CFLAGS   ?= -O2 -g
PKG_CONFIG ?= pkg-config

# ---- which Lua ---------------------------------------------------------------------------------
# LUA is 5.1, 5.2, 5.3, 5.4 or luajit. LUA_INCDIR overrides pkg-config (luarocks passes it).
LUA_BIN_luajit := luajit
LUA_BIN  := $(or $(LUA_BIN_$(LUA)),lua$(LUA))
BUILD    ?= build/$(LUA)
LUA_PC_luajit := luajit
LUA_PC   := $(or $(LUA_PC_$(LUA)),lua$(LUA))
LUA_LIBS ?= $(shell $(PKG_CONFIG) --libs $(LUA_PC) 2>/dev/null)
LUA_CFLAGS ?= $(if $(LUA_INCDIR),-isystem $(LUA_INCDIR),$(shell $(PKG_CONFIG) --cflags $(LUA_PC) 2>/dev/null))

# ---- which OpenSSL, curl, SQLite ---------------------------------------------------------------
# OPENSSL_DIR / CURL_DIR / SQLITE_DIR name an installation; otherwise pkg-config knows.
ifneq ($(OPENSSL_DIR),)
OPENSSL_CFLAGS ?= -isystem $(OPENSSL_DIR)/include
# Without a library there the linker would take the system's in silence.
OPENSSL_FILE   := $(firstword $(wildcard $(addprefix $(OPENSSL_DIR)/,lib*/libcrypto.* lib/*/libcrypto.*)))
OPENSSL_LIBDIR ?= $(if $(OPENSSL_FILE),$(patsubst %/,%,$(dir $(OPENSSL_FILE))),$(error \
                  OPENSSL_DIR=$(OPENSSL_DIR): no libcrypto in its lib, lib64 or lib/*))
OPENSSL_LIBS   ?= -L$(OPENSSL_LIBDIR) -Wl,-rpath,$(OPENSSL_LIBDIR) -lcrypto
else
OPENSSL_CFLAGS ?= $(shell $(PKG_CONFIG) --cflags libcrypto 2>/dev/null)
OPENSSL_LIBS   ?= $(or $(shell $(PKG_CONFIG) --libs libcrypto 2>/dev/null),-lcrypto)
endif
# STATIC_OPENSSL=1: alipayhk.core carries its own, out of every other library's sight.
ifneq ($(STATIC_OPENSSL),)
OPENSSL_LIBDIR ?= $(shell $(PKG_CONFIG) --variable=libdir libcrypto 2>/dev/null)
# What libcrypto.a itself may need: zlib, zstd.
OPENSSL_NEEDS  ?= $(filter-out -lcrypto,$(shell PKG_CONFIG_LIBDIR=$(OPENSSL_LIBDIR)/pkgconfig \
                  $(PKG_CONFIG) --static --libs-only-l libcrypto 2>/dev/null))
OPENSSL_LIBS   := $(OPENSSL_LIBDIR)/libcrypto.a -Wl,--exclude-libs,ALL $(OPENSSL_NEEDS) -pthread
endif
ifneq ($(CURL_DIR),)
CURL_CFLAGS ?= -isystem $(CURL_DIR)/include
CURL_LIBS   ?= -L$(CURL_DIR)/lib -Wl,-rpath,$(CURL_DIR)/lib -lcurl
else
CURL_CFLAGS ?= $(shell $(PKG_CONFIG) --cflags libcurl 2>/dev/null)
CURL_LIBS   ?= $(or $(shell $(PKG_CONFIG) --libs libcurl 2>/dev/null),-lcurl)
endif
# alipayhk.redis is built where libhiredis has its headers; HIREDIS_DIR names an installation. TLS is OpenSSL's own.
ifneq ($(HIREDIS_DIR),)
HIREDIS_CFLAGS ?= -isystem $(HIREDIS_DIR)/include
# Its replies have another layout in each version: the system's library must not meet these headers.
HIREDIS_FILE   := $(firstword $(wildcard $(addprefix $(HIREDIS_DIR)/,lib*/libhiredis.* lib/*/libhiredis.*)))
HIREDIS_LIBDIR ?= $(if $(HIREDIS_FILE),$(patsubst %/,%,$(dir $(HIREDIS_FILE))),$(error \
                  HIREDIS_DIR=$(HIREDIS_DIR): no libhiredis in its lib, lib64 or lib/*))
HIREDIS_LIBS   ?= -L$(HIREDIS_LIBDIR) -Wl,-rpath,$(HIREDIS_LIBDIR) -lhiredis
else
HIREDIS_CFLAGS ?= $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags hiredis 2>/dev/null))
HIREDIS_LIBS   ?= $(or $(shell $(PKG_CONFIG) --libs hiredis 2>/dev/null),-lhiredis)
endif
HAS_HIREDIS    := $(shell $(CC) $(HIREDIS_CFLAGS) -include hiredis/hiredis.h -E -x c /dev/null > /dev/null 2>&1 && echo yes)
LIBSSL         := $(if $(STATIC_OPENSSL),$(OPENSSL_LIBDIR)/libssl.a,-lssl)
ifneq ($(SQLITE_DIR),)
SQLITE_CFLAGS ?= -isystem $(SQLITE_DIR)/include
SQLITE_LIBS   ?= -L$(SQLITE_DIR)/lib -Wl,-rpath,$(SQLITE_DIR)/lib -lsqlite3
else
SQLITE_CFLAGS ?= $(shell $(PKG_CONFIG) --cflags sqlite3 2>/dev/null)
SQLITE_LIBS   ?= $(or $(shell $(PKG_CONFIG) --libs sqlite3 2>/dev/null),-lsqlite3)
endif
# Only an outbox in a file needs it: where its headers are not, alipayhk.sqlite is not built.
# (\043 is what begins a comment here.)
HAS_SQLITE := $(shell printf '\043%s\n' 'include <sqlite3.h>' 'if SQLITE_VERSION_NUMBER < 3031000' error endif | \
               $(CC) $(SQLITE_CFLAGS) -E - > /dev/null 2>&1 && echo yes)

# ---- how to compile ----------------------------------------------------------------------------
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes
# ASSERTS=1 checks the contracts between the core's own functions (csrc/base/contract.h).
# HARDENING stands before CFLAGS, which may be a packager's: he loses none of it but by a flag against it, or HARDENING=.
# FORTIFY needs an optimizing compiler, and is left to who has set it already.
ifeq ($(origin HARDENING),undefined)
HARDENING := -fstack-protector-strong $(shell $(CC) $(CFLAGS) $(EXTRA_CFLAGS) -dM -E -x c /dev/null 2>/dev/null | \
             awk '$$2 == "__OPTIMIZE__" { on = 1 } $$2 == "_FORTIFY_SOURCE" { set = 1 } \
                  END { if (on && !set) print "-D_FORTIFY_SOURCE=2" }')
endif
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE $(if $(ASSERTS),,-DNDEBUG) $(WARNINGS) -fPIC -fvisibility=hidden $(HARDENING) \
             $(CFLAGS) $(EXTRA_CFLAGS)
ifeq ($(shell uname -s),Darwin)
LIBFLAG ?= -bundle -undefined dynamic_lookup
else
LIBFLAG ?= -shared
# nodelete: a Lua state that closes must not unload code that OpenSSL or curl may still call.
LINK_FLAGS := -Wl,-z,relro,-z,now,-z,noexecstack,-z,nodelete
DL_LIBS := -ldl
endif
LINK = $(CC) $(LIBFLAG) $(LINK_FLAGS)

CORE_SOURCES := $(wildcard csrc/base/*.c csrc/crypto/*.c csrc/json/*.c csrc/pool/*.c) \
                $(addprefix csrc/bind/,anchors.c core.c core_key.c core_lock.c core_pool.c json.c plain.c)
CURL_SOURCES := $(wildcard csrc/base/*.c csrc/http/*.c csrc/bind/anchors.c csrc/bind/curl*.c)
KEYTOOL_SOURCES := $(wildcard csrc/base/*.c csrc/crypto/*.c csrc/keytool/*.c csrc/bind/keytool.c)
REDIS_SOURCES := $(wildcard csrc/base/*.c csrc/redis/*.c) $(addprefix csrc/http/,descriptors.c sigpipe.c) \
                 csrc/bind/redis.c
SQLITE_SOURCES := $(wildcard csrc/base/*.c csrc/store/*.c csrc/bind/sqlite.c)
objects = $(patsubst csrc/%.c,$(BUILD)/obj/%.o,$(1))

.PHONY: build
build: $(BUILD)/alipayhk/core.so $(BUILD)/alipayhk/curl.so $(BUILD)/alipayhk/keytool.so \
       $(if $(HAS_HIREDIS),$(BUILD)/alipayhk/redis.so) $(if $(HAS_SQLITE),$(BUILD)/alipayhk/sqlite.so)

$(BUILD)/alipayhk/core.so: $(call objects,$(CORE_SOURCES))
	@mkdir -p $(@D)
	$(LINK) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(OPENSSL_LIBS) $(DL_LIBS) -pthread

$(BUILD)/alipayhk/curl.so: $(call objects,$(CURL_SOURCES))
	@mkdir -p $(@D)
	$(LINK) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(CURL_LIBS) $(DL_LIBS) -pthread

$(BUILD)/alipayhk/keytool.so: $(call objects,$(KEYTOOL_SOURCES))
	@mkdir -p $(@D)
	$(LINK) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(OPENSSL_LIBS) $(DL_LIBS)

$(BUILD)/alipayhk/redis.so: $(call objects,$(REDIS_SOURCES))
	@mkdir -p $(@D)
	$(LINK) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(HIREDIS_LIBS) $(LIBSSL) $(OPENSSL_LIBS) $(DL_LIBS) -pthread

$(BUILD)/alipayhk/sqlite.so: $(call objects,$(SQLITE_SOURCES))
	@mkdir -p $(@D)
	$(LINK) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(SQLITE_LIBS) -lm -pthread

# Debian's names of the packages that have the headers, for the message that misses them.
LUA_PACKAGE_5.1 := liblua5.1-0-dev
LUA_PACKAGE_luajit := libluajit-5.1-dev
LUA_PACKAGE := $(or $(LUA_PACKAGE_$(LUA)),liblua$(LUA)-dev)
define need_header
echo '#include <$(1)>' | $(CC) $(2) -E - > /dev/null 2>&1 || { \
    echo "<$(1)> is not there: install $(3) (and pkg-config), or name its folder with $(4)" >&2; exit 1; }
endef

# Another compiler, flag or Lua makes every object stale, and is asked for its headers first.
FLAGS = $(CC) $(ALL_CFLAGS) $(LUA_CFLAGS) $(OPENSSL_CFLAGS) $(CURL_CFLAGS) $(HIREDIS_CFLAGS) $(HAS_HIREDIS) \
        $(SQLITE_CFLAGS) $(HAS_SQLITE) $(OPENSSL_LIBS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(FLAGS)' | cmp -s - $@ || { \
	    $(call need_header,lua.h,$(LUA_CFLAGS),$(LUA_PACKAGE),LUA_INCDIR); \
	    $(call need_header,openssl/evp.h,$(OPENSSL_CFLAGS),libssl-dev,OPENSSL_DIR); \
	    $(call need_header,curl/curl.h,$(CURL_CFLAGS),libcurl4-openssl-dev,CURL_DIR); \
	    $(if $(HAS_HIREDIS),,echo '<hiredis/hiredis.h> is not there (libhiredis-dev): built without alipayhk.redis' >&2;) \
	    test -n '$(HAS_SQLITE)' || echo "<sqlite3.h> of SQLite 3.31 or later is not there: alipayhk.sqlite is not" \
	        "built (install libsqlite3-dev, or name its folder with SQLITE_DIR)" >&2; \
	    echo '$(FLAGS)' > $@; }
.PHONY: FORCE
FORCE:

$(BUILD)/obj/%.o: csrc/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LUA_CFLAGS) $(OPENSSL_CFLAGS) $(CURL_CFLAGS) $(HIREDIS_CFLAGS) $(SQLITE_CFLAGS) \
	    -MMD -MP -c -o $@ $<

-include $(wildcard $(BUILD)/obj/*/*.d)

# Lines for eval: any script then runs against this checkout.
.PHONY: env
env:
	$(if $(wildcard $(BUILD)/alipayhk/core.so),,$(error not built yet for Lua $(LUA): run make build LUA=$(LUA)))
	@echo 'export LUA_PATH="$(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;;"'
	@echo 'export LUA_CPATH="$(abspath $(BUILD))/?.so;;"'

# ---- demo and gateway --------------------------------------------------------------------------
.PHONY: demo-packages test-packages
demo-packages test-packages: %-packages:
	@.ci/packages $*

# The gateway is nginx, so it needs the core built for LuaJIT whatever LUA is.
.PHONY: gateway-core
gateway-core: demo-packages
	@$(MAKE) -s build LUA=luajit

.PHONY: gateway
gateway: gateway-core
	@gateway/start

# Runs a command beside a gateway; what gateway/start printed is in $(BUILD)/gateway.env. KEEP=1 leaves the gateway there.
define beside_gateway
gateway/start > $(BUILD)/gateway.env && eval "$$($(MAKE) -s env)" && { \
    $(1); status=$$?; \
    $(if $(KEEP),,kill "$$(sed -n 's/^pid=//p' $(BUILD)/gateway.env)"; rm $(BUILD)/gateway.env;) exit $$status; }
endef

# The same for a script that reads that from its standard input.
with_gateway = $(call beside_gateway,$(LUA_BIN) $(1) < $(BUILD)/gateway.env)

.PHONY: demo
demo: gateway-core
	@$(MAKE) -s build
	@$(call with_gateway,examples/demo.lua $(if $(KEEP),keep))

# ---- benchmarks --------------------------------------------------------------------------------
.PHONY: bench
bench: gateway-core
	@$(MAKE) -s build
	@$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) -fPIC -fvisibility=hidden $(CFLAGS) $(LUA_CFLAGS) $(OPENSSL_CFLAGS) \
	    $(CURL_CFLAGS) $(LIBFLAG) $(LINK_FLAGS) -o $(BUILD)/floor.so bench/floor.c $(OPENSSL_LIBS) $(CURL_LIBS)
	@$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) $(CFLAGS) $(OPENSSL_CFLAGS) $(CURL_CFLAGS) -o $(BUILD)/floor-many \
	    bench/peers/floor.c $(OPENSSL_LIBS) $(CURL_LIBS) -pthread
	@$(call with_gateway,bench/run.lua $(BUILD))

# A thousand to a million orders in one call: time and memory.
.PHONY: bench-growth
bench-growth: gateway-core
	@$(MAKE) -s build
	@$(call with_gateway,bench/growth.lua)

# What an outbox costs over its stores.
.PHONY: bench-outbox
bench-outbox: gateway-core
	@$(MAKE) -s build
	@$(call with_gateway,bench/outbox.lua)

# The table of docs/outbox.md: what an outbox costs while many events wait.
.PHONY: bench-outbox-sizes
bench-outbox-sizes: gateway-core
	@$(MAKE) -s build
	@$(call with_gateway,bench/outbox_sizes.lua)

.PHONY: bench-nginx
bench-nginx: gateway-core
	@$(MAKE) -s build
	@$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) -fPIC -fvisibility=hidden $(CFLAGS) $(LUA_CFLAGS) $(LIBFLAG) \
	    $(LINK_FLAGS) -o $(BUILD)/traffic.so bench/nginx/traffic.c
	@$(call with_gateway,bench/nginx/run.lua)

# How many instructions the library's own work takes; 5 % more than bench/budget/budget.json says is a failure.
# By relative paths: a longer one moves malloc's blocks, and with them its count, by 12 % of a verification.
define count_instructions
$(MAKE) -s build LUA=5.4 BUILD=build/5.4 && \
    LUA_PATH='lua/?.lua;lua/?/init.lua;;' LUA_CPATH='build/5.4/?.so;;' lua5.4 bench/budget/run.lua $(1)
endef

.PHONY: budget
budget: test-packages
	@$(call count_instructions)

.PHONY: budget-update
budget-update: test-packages
	@$(call count_instructions,update)

# ---- tests -------------------------------------------------------------------------------------
export SPEC
# LUAS: those to run them under.
LUAS ?= 5.4 luajit
.PHONY: test
test: test-packages
	@spec/run $(LUAS)

# What the specs of the gateway's page drive a browser with.
build/page/node_modules: spec/page/browser/package.json spec/page/browser/package-lock.json
	@mkdir -p $(@D) && cp $^ $(@D)
	@cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error > /dev/null
	@touch $@

.PHONY: test-asan
test-asan: test-packages
	@spec/run asan

# The threads and the batch, under ThreadSanitizer.
.PHONY: test-tsan
test-tsan: test-packages
	@spec/run tsan

# A shop's whole traffic for so many minutes, while requests fail and processes are killed: in the end all has arrived.
MINUTES ?= 1
.PHONY: soak
soak: test-packages
	@$(MAKE) -s build LUA=luajit
	@$(MAKE) -s build
	@eval "$$($(MAKE) -s env)" && MINUTES=$(MINUTES) $(LUA_BIN) spec/soak/run.lua

# spec/stress in its long form: every point of every call.
.PHONY: test-stress
test-stress: test-packages
	@spec/run stress

# Of that, what fails: each allocation and each system call of each call.
.PHONY: test-torture
test-torture: test-packages
	@SPEC=spec/stress/failure_spec.lua spec/run stress

# Each call of the C modules, and an order's whole way, under valgrind.
.PHONY: test-valgrind
test-valgrind: test-packages
	@STRESS=long SPEC=spec/stress/valgrind_spec.lua spec/run 5.4

# Do the specs notice a change? MUTANTS=, SEED=, FILES= and SPECS= as spec/mutation/run.lua says.
.PHONY: mutants
mutants: test-packages
	@$(MAKE) -s build LUA=5.4 BUILD=build/5.4
	@$(MAKE) -s build LUA=luajit BUILD=build/luajit
	@env -u MAKEFLAGS -u MFLAGS lua5.4 spec/mutation/run.lua

# The suite's Lua 5.4 with the sanitizers linked in: they must not reach the commands it starts. No HARDENING: they do
# not see into what FORTIFY puts in the place of memcpy.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
.PHONY: build-asan
build-asan:
	@$(MAKE) -s build build-contracts LUA=5.4 BUILD=build/asan ASSERTS=1 HARDENING= CFLAGS='-O1 -g' \
	    EXTRA_CFLAGS='$(SANITIZE)'
	@$(CC) -std=c11 -O1 -g $(SANITIZE) $$($(PKG_CONFIG) --cflags lua5.4) -o build/asan/lua \
	    spec/support/programs/host.c $$($(PKG_CONFIG) --libs lua5.4)

# The same with ThreadSanitizer, which cannot be together with the other two in one process.
SANITIZE_THREADS := -fsanitize=thread -fno-omit-frame-pointer
.PHONY: build-tsan
build-tsan:
	@$(MAKE) -s build LUA=5.4 BUILD=build/tsan ASSERTS=1 HARDENING= CFLAGS='-O1 -g' \
	    EXTRA_CFLAGS='$(SANITIZE_THREADS)'
	@$(CC) -std=c11 -O1 -g $(SANITIZE_THREADS) $$($(PKG_CONFIG) --cflags lua5.4) -o build/tsan/lua \
	    spec/support/programs/host.c $$($(PKG_CONFIG) --libs lua5.4)

# A program that breaks the contracts of the product's objects. It is linked without Lua and libcurl.
CONTRACT_OBJECTS := $(call objects,$(wildcard csrc/base/*.c csrc/crypto/*.c csrc/json/*.c) csrc/http/head.c)
.PHONY: build-contracts
build-contracts: $(BUILD)/contracts

$(BUILD)/contracts: spec/support/programs/contracts.c $(CONTRACT_OBJECTS)
	$(CC) $(ALL_CFLAGS) $(OPENSSL_CFLAGS) $(LDFLAGS) -o $@ $^ $(OPENSSL_LIBS) $(DL_LIBS)

# An interpreter that holds the product's objects, and whose allocators and system calls fail where they are told to.
# libhiredis 0.14 takes no other malloc: linked in, it has ours.
comma := ,
STRESS_SOURCES := $(wildcard spec/support/stress/*.c)
STRESS_HIREDIS  = $(or $(wildcard $(if $(HIREDIS_LIBDIR),$(HIREDIS_LIBDIR)/libhiredis.a,\
                  $(shell $(CC) -print-file-name=libhiredis.a))),$(HIREDIS_LIBS))
STRESS_WRAP    := $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc free strdup)
.PHONY: build-stress
build-stress: $(BUILD)/stress

PRODUCT_OBJECTS := $(call objects,$(sort $(CORE_SOURCES) $(CURL_SOURCES) $(KEYTOOL_SOURCES) $(REDIS_SOURCES) \
                     $(SQLITE_SOURCES)))
$(BUILD)/stress: $(PRODUCT_OBJECTS) $(STRESS_SOURCES) $(wildcard spec/support/stress/*.h)
	$(CC) $(ALL_CFLAGS) $(LUA_CFLAGS) $(OPENSSL_CFLAGS) $(CURL_CFLAGS) $(HIREDIS_CFLAGS) $(SQLITE_CFLAGS) $(LDFLAGS) \
	    $(STRESS_WRAP) -o $@ $(filter %.o %.c,$^) $(LUA_LIBS) $(STRESS_HIREDIS) $(SQLITE_LIBS) $(LIBSSL) $(OPENSSL_LIBS) \
	    $(CURL_LIBS) -lm $(DL_LIBS)

.PHONY: build-stress-asan
build-stress-asan:
	@$(MAKE) -s build-stress BUILD=$(if $(filter 5.4,$(LUA)),build/asan,build/asan-$(LUA)) ASSERTS=1 HARDENING= \
	    CFLAGS='-O1 -g' EXTRA_CFLAGS='$(SANITIZE)'

# ---- fuzzing -----------------------------------------------------------------------------------
# fuzz/README.md: libFuzzer over everything that reads bytes from outside. FUZZ_SECONDS: for each target; JOBS: how many
# at a time; TARGET: those to run.
FUZZ_SECONDS ?= 20
JOBS ?= 2
.PHONY: fuzz
fuzz:
	@.ci/packages fuzz
	@FUZZ_SECONDS=$(FUZZ_SECONDS) JOBS=$(JOBS) fuzz/run $(TARGET)

# Those in C are linked with what they call; all in Lua run in one interpreter, which goes by the name it is called by.
FUZZ_TARGETS ?= $(basename $(notdir $(wildcard fuzz/targets/*)))
FUZZ_C       := $(basename $(notdir $(wildcard fuzz/targets/*.c)))
FUZZ_LUA     := $(basename $(notdir $(wildcard fuzz/targets/*.lua)))
FUZZ_OBJECTS := $(CONTRACT_OBJECTS) $(call objects,$(wildcard csrc/keytool/*.c))
SANITIZE_FUZZ := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
.PHONY: build-fuzz
build-fuzz:
	@$(MAKE) -s fuzz-programs LUA=5.4 BUILD=build/fuzz CC=clang ASSERTS=1 HARDENING= CFLAGS='-O1 -g' \
	    EXTRA_CFLAGS='$(SANITIZE_FUZZ)' FUZZ_TARGETS='$(FUZZ_TARGETS)'

.PHONY: fuzz-programs
fuzz-programs: $(FUZZ_TARGETS:%=$(BUILD)/%)

define link_fuzz
$(CC) $(ALL_CFLAGS) $(LUA_CFLAGS) $(OPENSSL_CFLAGS) $(CURL_CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $(filter %.o %.c,$^)
endef

$(FUZZ_C:%=build/fuzz/%): build/fuzz/%: fuzz/targets/%.c $(wildcard fuzz/support/*.h) $(FUZZ_OBJECTS)
	$(link_fuzz) $(OPENSSL_LIBS) $(DL_LIBS)

build/fuzz/lua: $(wildcard fuzz/support/*.[ch]) $(PRODUCT_OBJECTS)
	$(link_fuzz) $(LUA_LIBS) $(HIREDIS_LIBS) $(SQLITE_LIBS) $(LIBSSL) $(OPENSSL_LIBS) $(CURL_LIBS) -lm $(DL_LIBS)

$(FUZZ_LUA:%=build/fuzz/%): build/fuzz/lua
	@ln -sf lua $@

# ---- reference pages ---------------------------------------------------------------------------
# DOCS_INTO: another folder than this one, laid out as it.
DOCS_INTO ?= .
.PHONY: docs
docs: build
	@mkdir -p $(DOCS_INTO)/docs/scenarios $(DOCS_INTO)/lua/alipayhk/meta
	@eval "$$($(MAKE) -s env)" && $(LUA_BIN) docs/generate/init.lua $(DOCS_INTO) \
	    $(filter-out docs/reference.md,$(wildcard docs/*.md))

# Records the public names, once a change of them is meant.
.PHONY: surface
surface: build
	@eval "$$($(MAKE) -s env)" && $(LUA_BIN) -e \
	    'print(table.concat(require("spec.support.sources.surface").names(), "\n"))' > spec/package/surface.txt

# The pictures of the gateway's page. They look as they should with fonts-inter and fonts-wqy-microhei.
.PHONY: screenshots
screenshots: test-packages gateway-core build/page/node_modules
	@$(MAKE) -s build
	@mkdir -p docs/images
	@$(call beside_gateway,NODE_PATH=build/page/node_modules LUA=$(LUA_BIN) \
	    node spec/page/browser/screenshots.js $(BUILD)/gateway.env docs/images)

# ---- lint --------------------------------------------------------------------------------------
CLANG_FORMAT ?= clang-format
CLANG_TIDY   ?= clang-tidy
C_FILES := $(wildcard csrc/*/*.[ch] spec/support/*/*.[ch] fuzz/*/*.[ch] bench/*.c bench/*/*.c)
.PHONY: lint
lint: analyze-cppcheck analyze-gcc
	luacheck -q bin/alipayhk lua gateway spec fuzz examples bench docs rockspec rockspec/*.rockspec
	$(CLANG_FORMAT) --dry-run --Werror $(C_FILES)
	@printf '%s\n' $(filter csrc/%.c,$(C_FILES)) | xargs -P "$$(nproc)" -I {} \
	    sh -c '$(CLANG_TIDY) --quiet --warnings-as-errors="*" {} -- -std=c11 -D_GNU_SOURCE \
	        $(LUA_CFLAGS) $(OPENSSL_CFLAGS) $(CURL_CFLAGS) $(HIREDIS_CFLAGS) $(SQLITE_CFLAGS) 2> /dev/null'

# What compilers find that follow the paths through a function. `lint` has the two that are quick: the third, clang's, is
# among what clang-tidy runs there. Nothing is suppressed.
GCC      ?= gcc
CLANG    ?= clang
CPPCHECK ?= cppcheck
ANALYZED ?= $(wildcard csrc/*/*.c)
ANALYSIS_FLAGS = -std=c11 -D_GNU_SOURCE $(LUA_CFLAGS) $(OPENSSL_CFLAGS) $(CURL_CFLAGS) $(HIREDIS_CFLAGS) $(SQLITE_CFLAGS)
for_each_analyzed = @printf '%s\n' $(ANALYZED) | xargs -P "$$(nproc)" -I {} $(1) $(ANALYSIS_FLAGS) {} -o /dev/null

.PHONY: analyze analyze-cppcheck analyze-gcc analyze-clang
analyze: analyze-cppcheck analyze-gcc analyze-clang

analyze-cppcheck:
	@$(CPPCHECK) --quiet --error-exitcode=1 --enable=warning,performance,portability --std=c11 -D_GNU_SOURCE \
	    -j "$$(nproc)" $(ANALYZED)

# It sees other paths where functions are inlined.
analyze-gcc:
	$(call for_each_analyzed,$(GCC) -fanalyzer -Werror -O0 -c)
	$(call for_each_analyzed,$(GCC) -fanalyzer -Werror -O2 -c)

analyze-clang:
	$(call for_each_analyzed,$(CLANG) --analyze --analyzer-output text -Xclang -analyzer-werror)

# ---- install -----------------------------------------------------------------------------------
PREFIX ?= /usr/local
LUA_ABI_luajit := 5.1
LUA_ABI := $(or $(LUA_ABI_$(LUA)),$(LUA))
LUA_LIBDIR   ?= $(PREFIX)/lib/lua/$(LUA_ABI)
LUA_SHAREDIR ?= $(PREFIX)/share/lua/$(LUA_ABI)
LUA_FILES := $(wildcard lua/alipayhk/*.lua lua/alipayhk/*/*.lua lua/alipayhk/*/*/*.lua)
# The gateway runs in nginx, by LuaJIT: where Lua is another one, a core for LuaJIT that was built goes beside it.
GATEWAY_CORE := $(if $(filter 5.1 luajit,$(LUA)),,$(wildcard build/luajit/alipayhk/core.so))
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man/man1

.PHONY: install
install: install-library install-command
	@test -n '$(DESTDIR)' || $(LUA_BIN) -e \
	    'os.exit(package.path:find("$(LUA_SHAREDIR)/?.lua", 1, true) and package.cpath:find("$(LUA_LIBDIR)/?.so", 1, true) and 0 or 1)' || { \
	    echo "Lua $(LUA) does not look below $(PREFIX) by itself: tell it to, where you use alipayhk:"; \
	    echo '  export LUA_PATH="$(LUA_SHAREDIR)/?.lua;$(LUA_SHAREDIR)/?/init.lua;;"'; \
	    echo '  export LUA_CPATH="$(LUA_LIBDIR)/?.so;;"'; }

# Does not build: under sudo, with other flags, that would be another build. Asked for both, it waits for `build`.
.PHONY: install-library
install-library: | $(filter build,$(MAKECMDGOALS))
	@test -f $(BUILD)/alipayhk/core.so || { echo "nothing to install yet: run 'make build LUA=$(LUA)' first"; exit 1; }
	install -d $(DESTDIR)$(LUA_LIBDIR)/alipayhk
	install -m 755 $(BUILD)/alipayhk/*.so $(DESTDIR)$(LUA_LIBDIR)/alipayhk
	@for file in $(LUA_FILES:lua/%=%); do \
	    install -d $(DESTDIR)$(LUA_SHAREDIR)/$$(dirname $$file) && \
	    install -m 644 lua/$$file $(DESTDIR)$(LUA_SHAREDIR)/$$file || exit 1; \
	done
	install -d $(DESTDIR)$(LUA_SHAREDIR)/alipayhk/gateway
	install -m 644 $(wildcard gateway/*.*) $(DESTDIR)$(LUA_SHAREDIR)/alipayhk/gateway
	install -m 755 gateway/start $(DESTDIR)$(LUA_SHAREDIR)/alipayhk/gateway
	@test -z '$(GATEWAY_CORE)' || { install -d $(DESTDIR)$(LUA_LIBDIR)/alipayhk/gateway/alipayhk && \
	    install -m 755 $(GATEWAY_CORE) $(DESTDIR)$(LUA_LIBDIR)/alipayhk/gateway/alipayhk; }

# The command, which runs under the Lua that it was installed for; and its manual page.
.PHONY: install-command
install-command:
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)
	sed '1s|.*|\#!/usr/bin/env $(LUA_BIN)|' bin/alipayhk > $(DESTDIR)$(BINDIR)/alipayhk
	chmod 755 $(DESTDIR)$(BINDIR)/alipayhk
	install -m 644 docs/alipayhk.1 $(DESTDIR)$(MANDIR)/alipayhk.1

.PHONY: uninstall
uninstall:
	rm -rf $(DESTDIR)$(LUA_LIBDIR)/alipayhk $(DESTDIR)$(LUA_SHAREDIR)/alipayhk
	rm -f $(DESTDIR)$(BINDIR)/alipayhk $(DESTDIR)$(MANDIR)/alipayhk.1

# ---- packages ----------------------------------------------------------------------------------
VERSION := $(shell sed -n 's/^return "\(.*\)"/\1/p' lua/alipayhk/base/version.lua)
DIST    := build/dist
ARCHIVE := $(DIST)/lua-alipayhk-$(VERSION).tar.gz
SOURCES := $(DIST)/lua-alipayhk-$(VERSION)

# The sources as they stand here, and what they need (CycloneDX): the same bytes for the same commit.
.PHONY: dist
dist: $(SOURCES).cdx.json

.PHONY: $(SOURCES).cdx.json
$(SOURCES).cdx.json: $(ARCHIVE)
	@$(LUA_BIN) rockspec/sbom.lua rockspec/lua-alipayhk-$(VERSION)-1.rockspec \
	    $$(sha256sum < $< | cut -d' ' -f1) $$(git log -1 --format=%ct) > $@
	@echo $@

.PHONY: $(ARCHIVE)
$(ARCHIVE):
	@mkdir -p $(DIST)
	@git ls-files -z | tar --null -T - --transform 's|^|lua-alipayhk-$(VERSION)/|' --sort=name --owner=0 --group=0 \
	    --numeric-owner --mode=go=rX,u+rw,a-s --mtime=@$$(git log -1 --format=%ct) -c | gzip -9n > $@
	@echo $@

# Debian packages: the library for each Lua, and the command. What this make was told is not for theirs.
.PHONY: deb
deb: $(ARCHIVE)
	@.ci/packages deb
	@rm -rf $(SOURCES) && tar -xzf $(ARCHIVE) -C $(DIST)
	@cd $(SOURCES) && env -u MAKEFLAGS -u MFLAGS dpkg-buildpackage -us -uc -b -jauto > ../deb.log 2>&1 || { tail -n 30 ../deb.log; exit 1; }
	@rm -rf $(SOURCES) && ls $(DIST)/*.deb

# What depends on OpenSSL, libcurl and nginx, tested with those of other releases of Debian: minutes each, as root.
RELEASES ?= bookworm trixie sid
.PHONY: matrix
matrix: $(ARCHIVE)
	@for release in $(RELEASES); do echo "== $$release"; .ci/matrix $$release $(ARCHIVE) || exit 1; done

.PHONY: clean
clean:
	rm -rf build

.PHONY: help
help:
	@echo 'make demo            build, and send signed orders through a local gateway on loopback; KEEP=1 leaves it running'
	@echo 'make install         the library and the command, for LUA, below PREFIX; make uninstall removes them'
	@echo 'make dist, make deb  an archive of the sources; Debian packages'
	@echo 'make test            every test, under Lua 5.4 and LuaJIT; SPEC=spec/unit/base for a file or folder'
	@echo 'make test-asan       the suite on Lua 5.4 under AddressSanitizer and UndefinedBehaviorSanitizer'
	@echo 'make test-tsan       the threads that sign, and the batch, under ThreadSanitizer; a minute'
	@echo 'make fuzz            libFuzzer, FUZZ_SECONDS (20) a target; TARGET=codec for one (fuzz/README.md)'
	@echo 'make test-stress     test-torture, and a finalizer at each collection in each call'
	@echo 'make test-valgrind   each call of the C modules under valgrind, in Lua 5.4 and LuaJIT; a minute'
	@echo 'make test-torture    each allocation and system call of each call fails once; minutes'
	@echo 'make mutants         changes the code in twenty places, one after the other: do the specs notice? MUTANTS=, FILES='
	@echo 'make gateway         start the local gateway; it prints its address, keys and pid'
	@echo 'make build LUA=5.4   build into build/; LUA is 5.1 to 5.4 or luajit'
	@echo 'make env LUA=5.4     lines for eval: any script then runs against this checkout'
	@echo 'make bench           benchmarks, as ratios to C'
	@echo 'make bench-nginx     the same for a worker of nginx and its neighbours'
	@echo 'make bench-outbox    the outbox, as ratios to what lies below it; bench-outbox-sizes: with many events waiting'
	@echo 'make bench-growth    a thousand to a million orders in one call: time and memory'
	@echo 'make budget          instructions of the library'"'"'s own work, against bench/budget/budget.json'
	@echo 'make budget-update   makes the counts of now the budget'
	@echo 'make docs            docs/scenarios, docs/reference.md and the generated annotations'
	@echo 'make soak            MINUTES=1: all ways at once, while requests fail and processes are killed'
	@echo 'make screenshots     docs/images, pictures of the local gateway'"'"'s page'
	@echo 'make lint            luacheck, clang-format, clang-tidy, gcc -fanalyzer, cppcheck'
	@echo 'make analyze         gcc'"'"'s analyzer, cppcheck, and clang'"'"'s analyzer by itself'
	@echo 'make matrix          with the libraries of other releases of Debian, RELEASES; minutes each, as root'
