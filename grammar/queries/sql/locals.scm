(statement) @local.scope
(subquery) @local.scope
(lambda) @local.scope

(cte name: (identifier) @local.definition.type)
(scalar_cte name: (identifier) @local.definition.var)
(table_ref alias: (identifier) @local.definition.type)
(select_item alias: (identifier) @local.definition.var)
(aliased_expression alias: (identifier) @local.definition.var)
(lambda parameters: (identifier) @local.definition.parameter)
(lambda_parameters (identifier) @local.definition.parameter)

(column_ref (identifier) @local.reference)
(table_name table: (identifier) @local.reference)
