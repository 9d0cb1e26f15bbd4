((comment) @injection.content
  (#set! injection.language "comment"))

((template_output) @injection.content
  (#offset! @injection.content 0 2 0 -2)
  (#set! injection.language "python"))

((sql_body) @injection.content
  (#set! injection.language "headwater_sql"))

((schema_body) @injection.content
  (#set! injection.language "headwater_sql"))
