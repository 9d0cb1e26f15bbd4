(source_file) @local.scope
(node header: (directive value: (value) @local.definition.type))
