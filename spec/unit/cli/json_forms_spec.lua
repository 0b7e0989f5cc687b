local cjson = require "cjson.safe"
local json_forms = require "alipayhk.cli.json_forms"

local function forms_of(text)
  local forms, words = {}, {}
  json_forms.each(text, function(form, said)
    assert.is_nil(words[form])
    forms[#forms + 1], words[form] = form, said
  end)
  return forms, words
end

describe("the forms of a JSON text", function()
  local TEXT = [[{ "b" : [1, 2.50, {"x": "a\/b \u4e2d\ud83d\ude00 é", "q": "\\u4e2d \\\/ \" \n"}], "a":{}, "c":[],]]
    .. [["<&": true, "n" : null}]]

  it("all mean the same", function()
    local expected = cjson.decode(TEXT)
    local forms = forms_of(TEXT)
    assert.is_true(#forms > 50)
    for _, form in ipairs(forms) do assert.same(expected, cjson.decode(form), form) end
  end)

  it("are those that programs write", function()
    local _, words = forms_of('{"b":"x/y é","a":[1,{"d":"<"}]}')
    for form, said in pairs {
      ['{"b": "x/y é", "a": [1, {"d": "<"}]}'] = "with a blank after : and ,",
      ['{"b": "x/y \\u00e9", "a": [1, {"d": "<"}]}'] = "with a blank after : and ,, non-ASCII as \\u escapes",
      ['{"b":"x\\/y \\u00e9","a":[1,{"d":"<"}]}'] = "without blanks, non-ASCII as \\u escapes, / as \\/",
      ['{"b":"x/y é","a":[1,{"d":"\\u003c"}]}'] = "without blanks, < > & as \\u escapes",
      ['{"a":[1,{"d":"<"}],"b":"x/y é"}'] = "without blanks, keys sorted",
      ['{\n  "b": "x/y é",\n  "a": [\n    1,\n    {\n      "d": "<"\n    }\n  ]\n}'] = "indented by 2",
    } do
      assert.equal(said, words[form], form)
    end
  end)

  it("keep numbers as they were written", function()
    local _, words = forms_of('{"a": 1.0, "b": 12345678901234567890, "c": 1E5}')
    assert.is_string(words['{"a":1.0,"b":12345678901234567890,"c":1E5}'])
  end)

  it("are none of what is no JSON, or too long", function()
    for _, text in ipairs {
      "", "x", "{", '{"a"}', '{"a":1', "[1,]", '["', '{"a":1}x', "1", ("["):rep(200) .. ("]"):rep(200),
      '["' .. ("x"):rep(70000) .. '"]',
    } do
      assert.same({}, (forms_of(text)))
    end
  end)
end)
