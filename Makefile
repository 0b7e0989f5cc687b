# make demo    build, and send signed orders through a local gateway
# make test    every test
# make help    the other targets

LUA      ?= 5.4
CC       ?= cc
CFLAGS   ?= -O2 -g
PKG_CONFIG ?= pkg-config

# ---- which Lua ---------------------------------------------------------------------------------
# LUA is 5.1, 5.2, 5.3, 5.4, 5.5 or luajit. LUA_INCDIR overrides pkg-config (luarocks passes it).
LUA_BIN_luajit := luajit
LUA_BIN  := $(or $(LUA_BIN_$(LUA)),lua$(LUA))
BUILD    ?= build/$(LUA)
LUA_PC_luajit := luajit
LUA_PC   := $(or $(LUA_PC_$(LUA)),lua$(LUA))
LUA_CFLAGS ?= $(if $(LUA_INCDIR),-isystem $(LUA_INCDIR),$(shell $(PKG_CONFIG) --cflags $(LUA_PC) 2>/dev/null))

# ---- which OpenSSL, which curl -----------------------------------------------------------------
# OPENSSL_DIR / CURL_DIR name an installation; otherwise pkg-config knows.
ifneq ($(OPENSSL_DIR),)
OPENSSL_CFLAGS ?= -isystem $(OPENSSL_DIR)/include
OPENSSL_LIBS   ?= -L$(OPENSSL_DIR)/lib -Wl,-rpath,$(OPENSSL_DIR)/lib -lcrypto
else
OPENSSL_CFLAGS ?= $(shell $(PKG_CONFIG) --cflags libcrypto 2>/dev/null)
OPENSSL_LIBS   ?= $(or $(shell $(PKG_CONFIG) --libs libcrypto 2>/dev/null),-lcrypto)
endif
ifneq ($(CURL_DIR),)
CURL_CFLAGS ?= -isystem $(CURL_DIR)/include
CURL_LIBS   ?= -L$(CURL_DIR)/lib -Wl,-rpath,$(CURL_DIR)/lib -lcurl
else
CURL_CFLAGS ?= $(shell $(PKG_CONFIG) --cflags libcurl 2>/dev/null)
CURL_LIBS   ?= $(or $(shell $(PKG_CONFIG) --libs libcurl 2>/dev/null),-lcurl)
endif

# ---- how to compile ----------------------------------------------------------------------------
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE $(WARNINGS) -fPIC -fvisibility=hidden $(CFLAGS) $(EXTRA_CFLAGS)
ifeq ($(shell uname -s),Darwin)
LIBFLAG ?= -bundle -undefined dynamic_lookup
else
# nodelete: a Lua state that closes must not unload code that OpenSSL or curl may still call.
LIBFLAG ?= -shared -Wl,-z,relro,-z,now,-z,nodelete
endif

CORE_SOURCES := $(wildcard csrc/base/*.c csrc/crypto/*.c) csrc/bind/core.c
CURL_SOURCES := csrc/base/error.c $(wildcard csrc/http/*.c) csrc/bind/curl.c
objects = $(patsubst csrc/%.c,$(BUILD)/obj/%.o,$(1))

.PHONY: build
build: $(BUILD)/alipayhk/core.so $(BUILD)/alipayhk/curl.so

$(BUILD)/alipayhk/core.so: $(call objects,$(CORE_SOURCES))
	@mkdir -p $(@D)
	$(CC) $(LIBFLAG) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(OPENSSL_LIBS)

$(BUILD)/alipayhk/curl.so: $(call objects,$(CURL_SOURCES))
	@mkdir -p $(@D)
	$(CC) $(LIBFLAG) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(CURL_LIBS)

# Another compiler, flag or Lua makes every object stale.
FLAGS = $(CC) $(ALL_CFLAGS) $(LUA_CFLAGS) $(OPENSSL_CFLAGS) $(CURL_CFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' > $@
.PHONY: FORCE
FORCE:

$(BUILD)/obj/%.o: csrc/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LUA_CFLAGS) $(OPENSSL_CFLAGS) $(CURL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(wildcard $(BUILD)/obj/*/*.d)

# Lines for eval: any script then runs against this checkout.
.PHONY: env
env:
	@echo 'export LUA_PATH="$(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;;"'
	@echo 'export LUA_CPATH="$(CURDIR)/$(BUILD)/?.so;;"'
