rockspec_format = "3.0"
package = "lua-alipayhk"
version = "scm-1"
source = {
  url = "git+https://github.com/lua-alipayhk/lua-alipayhk.git",
  branch = "main",
}
description = {
  summary = "AlipayHK's order service and performance notifications",
  detailed = [[
Signs (RSA256, ECC224), encrypts (RSA_AES), sends and retries requests to AlipayHK's open platform,
and verifies what comes back. A C core over OpenSSL and libcurl, a thin Lua layer above.]],
  license = "MIT",
}
-- Headers are looked for by the Makefile, which asks pkg-config; OPENSSL_DIR, CURL_DIR and SQLITE_DIR override it.
-- external_dependencies would not find curl's where Debian keeps them.
dependencies = {
  "lua >= 5.1, < 5.5",
  "lua-cjson >= 2.1.0",
  "argparse >= 0.7.1", -- the command needs it
}
build = {
  type = "make",
  build_target = "build",
  install_target = "install-library",
  install = { bin = { "bin/alipayhk" } },
  build_variables = {
    BUILD = "build/rock",
    CFLAGS = "$(CFLAGS)",
    LUA_INCDIR = "$(LUA_INCDIR)",
    OPENSSL_DIR = "$(OPENSSL_DIR)",
    CURL_DIR = "$(CURL_DIR)",
    HIREDIS_DIR = "$(HIREDIS_DIR)",
    SQLITE_DIR = "$(SQLITE_DIR)",
  },
  install_variables = {
    BUILD = "build/rock",
    LUA_LIBDIR = "$(LIBDIR)",
    LUA_SHAREDIR = "$(LUADIR)",
  },
}
