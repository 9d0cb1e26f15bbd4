; Template tags hold Python expressions, with their delimiters cut off.
((template_output) @injection.content
  (#offset! @injection.content 0 2 0 -2)
  (#set! injection.language "python"))

((template_statement) @injection.content
  (#offset! @injection.content 0 2 0 -2)
  (#set! injection.language "python"))

((comment) @injection.content
  (#set! injection.language "comment"))
