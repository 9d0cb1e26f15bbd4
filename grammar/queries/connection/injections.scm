((comment) @injection.content
  (#set! injection.language "comment"))

((template_output) @injection.content
  (#offset! @injection.content 0 2 0 -2)
  (#set! injection.language "python"))
