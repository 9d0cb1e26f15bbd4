(comment) @comment @spell

(directive_name) @keyword.directive
(ignored_text) @comment
">" @operator

(value (word) @string)
(value (string) @string)
(template_output) @embedded

((directive
  name: (directive_name) @_name
  value: (value . (word) @type .))
  (#match? @_name "^[Tt][Yy][Pp][Ee]$"))

((value . (word) @number .)
  (#match? @number "^[0-9]+$"))

((value (word) @boolean)
  (#any-of? @boolean "true" "false" "True" "False"))

(text_body) @string.documentation

((directive
  name: (directive_name) @_name
  value: (value . (word) @type))
  (#match? @_name "^[Ee][Nn][Gg][Ii][Nn][Ee]$"))

((directive
  name: (directive_name) @_name
  value: (value . (_) @string.special . (word) @constant .))
  (#match? @_name "^[Tt][Oo][Kk][Ee][Nn]$"))
