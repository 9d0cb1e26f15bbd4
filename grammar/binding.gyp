{
  "targets": [
    {
      "target_name": "tree_sitter_headwater_binding",
      "dependencies": [
        "<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except"
      ],
      "include_dirs": ["sql/src"],
      "sources": [
        "bindings/node/binding.cc",
        "datafile/connection/src/parser.c",
        "datafile/connection/src/scanner.c",
        "datafile/datasource/src/parser.c",
        "datafile/datasource/src/scanner.c",
        "datafile/pipe/src/parser.c",
        "datafile/pipe/src/scanner.c",
        "sql/src/parser.c",
        "sql/src/scanner.c"
      ],
      "conditions": [
        ["OS!='win'", { "cflags_c": ["-std=c11"] }, { "cflags_c": ["/std:c11", "/utf-8"] }]
      ]
    }
  ]
}
