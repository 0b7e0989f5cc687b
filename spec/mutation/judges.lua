-- Which specs judge a mutant, by the beginning of its file's name: the first that fits. The quick ones first, none of
-- minutes. (core_contracts_spec builds the core anew; locale_spec goes through all locales.)

local CODECS = "spec/unit/core/core_codec_spec.lua spec/unit/core/core_misc_spec.lua "
  .. "spec/unit/core/core_buffer_spec.lua "
local KEYS = "spec/unit/core/core_key_spec.lua spec/unit/core/core_key_text_spec.lua "
  .. "spec/unit/core/core_key_errors_spec.lua spec/unit/core/core_pem_file_spec.lua "
  .. "spec/unit/core/core_key_sound_spec.lua "
local SIGN = "spec/unit/core/core_sign_spec.lua "
local JSON = "spec/unit/base/json_spec.lua "
local OWN_LOCALE = "spec/unit/base/own_locale_spec.lua "
local CURL = "spec/transport/curl_request_spec.lua spec/transport/curl_response_spec.lua "
  .. "spec/transport/curl_failure_spec.lua spec/transport/curl_message_spec.lua "
local MULTI = "spec/transport/curl_multi_spec.lua spec/transport/curl_connection_spec.lua "
local SOCKET = "spec/transport/curl_socket_spec.lua "
local SQLITE = "spec/store/sqlite_store_spec.lua spec/store/sqlite_values_spec.lua "
local REDIS = "spec/store/redis_client_spec.lua spec/store/redis_connection_spec.lua "
  .. "spec/store/redis_process_spec.lua "
local EXCHANGE = "spec/unit/exchange spec/unit/client "
local OUTBOX = "spec/outbox/outbox_spec.lua spec/outbox/outbox_put_spec.lua spec/outbox/outbox_clock_spec.lua "
  .. "spec/outbox/outbox_deliver_spec.lua "
local PARTS = "spec/unit/delivery/retries_spec.lua spec/unit/delivery/breaker_spec.lua "
  .. "spec/unit/delivery/window_spec.lua spec/unit/delivery/event_spec.lua spec/unit/delivery/pace_spec.lua "

return {
  { "csrc/base/buffer.c", CODECS .. JSON },
  { "csrc/base/utf8.c", JSON .. CODECS },
  { "csrc/base/file_lock.c", "spec/unit/core/core_lock_spec.lua" },
  { "csrc/base/interrupt.c", "spec/unit/core/core_interrupt_spec.lua " .. MULTI },
  { "csrc/base/c_locale.c", OWN_LOCALE .. JSON },
  { "csrc/base/error.c", CODECS .. "spec/unit/core/core_key_errors_spec.lua " .. OWN_LOCALE .. MULTI },
  { "csrc/base/clock.c", "spec/unit/core/core_misc_spec.lua " .. MULTI },
  { "csrc/base/", CODECS .. "spec/unit/core/core_key_errors_spec.lua " .. MULTI },
  { "csrc/crypto/codec.c", CODECS },
  { "csrc/crypto/digest.c", CODECS .. SIGN },
  { "csrc/crypto/random.c", CODECS .. SIGN },
  { "csrc/crypto/envelope.c", "spec/unit/core/core_envelope_spec.lua" },
  { "csrc/crypto/ecdsa_form.c", SIGN },
  { "csrc/crypto/sign.c", SIGN .. KEYS },
  { "csrc/crypto/library.c", "spec/package/libcrypto_spec.lua" },
  { "csrc/crypto/key_foreign.c", "spec/unit/core/core_key_foreign_spec.lua " .. KEYS },
  { "csrc/crypto/", KEYS .. SIGN .. "spec/unit/core/core_key_foreign_spec.lua" },
  { "csrc/json/number.c", JSON .. OWN_LOCALE },
  { "csrc/json/", JSON .. "spec/unit/rules/check_json_spec.lua" },
  { "csrc/keytool/", "spec/cli/keygen_spec.lua spec/cli/key_spec.lua" },
  { "csrc/pool/", "spec/unit/core/core_pool_spec.lua" },
  { "csrc/http/head.c", CURL .. "spec/transport/curl_fuzz_spec.lua" },
  { "csrc/http/proxy.c", "spec/transport/curl_proxy_spec.lua spec/transport/curl_message_spec.lua" },
  { "csrc/http/sigpipe.c", SOCKET .. "spec/transport/curl_process_spec.lua" },
  { "csrc/http/transport.c", CURL .. "spec/transport/curl_process_spec.lua spec/transport/curl_poison_spec.lua" },
  { "csrc/http/descriptors.c", SOCKET .. "spec/transport/curl_descriptor_spec.lua " .. MULTI },
  { "csrc/http/", CURL .. MULTI .. "spec/transport/curl_poison_spec.lua spec/transport/curl_tls_spec.lua" },
  { "csrc/redis/", REDIS },
  { "csrc/store/", SQLITE .. "spec/store/sqlite_open_spec.lua spec/store/sqlite_lock_spec.lua "
    .. "spec/store/sqlite_full_spec.lua" },
  { "csrc/bind/core_lock.c", "spec/unit/core/core_lock_spec.lua" },
  { "csrc/bind/core_pool.c", "spec/unit/core/core_pool_spec.lua" },
  { "csrc/bind/core", CODECS .. KEYS .. SIGN .. "spec/unit/core/core_envelope_spec.lua" },
  { "csrc/bind/curl", CURL .. MULTI .. "spec/transport/curl_descriptor_spec.lua" },
  { "csrc/bind/json.c", JSON .. "spec/unit/rules/check_json_spec.lua spec/unit/core/core_misc_spec.lua" },
  { "csrc/bind/plain.c", JSON .. "spec/unit/rules" },
  { "csrc/bind/keytool.c", "spec/cli/keygen_spec.lua spec/cli/key_spec.lua" },
  { "csrc/bind/redis.c", REDIS },
  { "csrc/bind/sqlite.c", SQLITE .. "spec/store/sqlite_open_spec.lua" },
  { "lua/alipayhk/exchange/call.lua", "spec/nginx/client_spec.lua " .. EXCHANGE },
  { "lua/alipayhk/exchange/", EXCHANGE },
  { "lua/alipayhk/delivery/lanes.lua", "spec/unit/delivery/lanes_spec.lua" },
  { "lua/alipayhk/delivery/store/group.lua", "spec/unit/delivery/group_spec.lua" },
  { "lua/alipayhk/delivery/store/sqlite_kept.lua", "spec/nginx/outbox_spec.lua" },
  { "lua/alipayhk/delivery/store/sqlite_nginx.lua", "spec/nginx/outbox_spec.lua" },
  { "lua/alipayhk/delivery/store/sqlite_thread.lua", "spec/nginx/outbox_spec.lua" },
  { "lua/alipayhk/delivery/store/sqlite", SQLITE },
  { "lua/alipayhk/delivery/store/redis_faults.lua", "spec/unit/delivery/redis_faults_spec.lua" },
  { "lua/alipayhk/delivery/store/redis_nodes.lua", "spec/unit/delivery/redis_nodes_spec.lua "
    .. "spec/store/redis_store_spec.lua" },
  { "lua/alipayhk/delivery/store/redis", "spec/store/redis_store_spec.lua" },
  { "lua/alipayhk/delivery/store/", SQLITE .. "spec/store/redis_store_spec.lua" },
  { "lua/alipayhk/delivery/redis/cosocket.lua", "spec/nginx/redis_spec.lua" },
  { "lua/alipayhk/delivery/redis/", "spec/unit/delivery/redis_resp_spec.lua "
    .. "spec/unit/delivery/redis_url_spec.lua " .. REDIS },
  { "lua/alipayhk/delivery/batch.lua", "spec/unit/delivery/batch_spec.lua" },
  { "lua/alipayhk/delivery/engine.lua", "spec/unit/delivery/batch_spec.lua " .. OUTBOX },
  { "lua/alipayhk/delivery/source.lua", "spec/unit/delivery/batch_spec.lua" },
  { "lua/alipayhk/delivery/crew.lua", "spec/unit/delivery/crew_spec.lua spec/nginx/many_spec.lua "
    .. "spec/gateway/many_spec.lua spec/outbox/outbox_slow_store_spec.lua" },
  { "lua/alipayhk/delivery/", PARTS .. OUTBOX },
  { "lua/alipayhk/base/", "spec/unit/base/sequence_spec.lua spec/unit/base/suggest_spec.lua "
    .. "spec/unit/base/edges_spec.lua spec/unit/base/text_spec.lua spec/unit/base/time_spec.lua "
    .. "spec/unit/base/list_spec.lua spec/unit/base/quote_spec.lua spec/unit/base/runtime_spec.lua "
    .. "spec/unit/base/error_spec.lua "
    .. "spec/unit/base/json_spec.lua " .. EXCHANGE },
}
