-- The functions of alipayhk.core that are for the library's own use alone: neither annotated nor in its page.

return {
  pool = true, processors = true, base64_percent_encode = true, is_visible = true,
  decimal_point = true, in_c_locale = true, is_plain = true, json_finish = true, json_number = true, json_scan = true,
  json_settle = true, lock_file = true,
}
