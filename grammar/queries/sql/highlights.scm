; Names ----------------------------------------------------------------------------------------------

(column_ref (identifier) @variable)
(column_ref (identifier) @variable.member .)
(column_ref . (identifier) @variable .)

(table_name database: (identifier) @module)
(table_name table: (identifier) @type)
(cte name: (identifier) @type.definition)
(scalar_cte name: (identifier) @variable)
(select_item alias: (identifier) @variable)
(aliased_expression alias: (identifier) @variable)
(table_ref alias: (identifier) @type)
(lambda parameters: (identifier) @variable.parameter)
(lambda_parameters (identifier) @variable.parameter)
(window_definition name: (identifier) @label)
(over name: (identifier) @label)
(setting name: (identifier) @property)
(format_clause name: (identifier) @constant)

(function_call name: (identifier) @function.call)
(table_function name: (identifier) @function.call)
(apply_columns function: (identifier) @function.call)

(data_type name: (identifier) @type.builtin)
(type_field name: (column_ref) @property)
(typed_literal type: _ @type.builtin)
(query_parameter name: (identifier) @variable.parameter)

; Literals -------------------------------------------------------------------------------------------

[(string) (unclosed_string)] @string
[(number) (negative_number)] @number
(boolean) @boolean
(system_variable) @variable.builtin
(null) @constant.builtin
(interval_unit) @constant.builtin
(star) @operator
[(comment) (unclosed_comment)] @comment @spell

; Template tags ----------------------------------------------------------------------------------------

(template_marker) @keyword.directive
[(template_output) (unclosed_template)] @embedded
[(template_statement) (unclosed_statement)] @keyword.directive
(template_comment) @comment

; Keywords -----------------------------------------------------------------------------------------------

[
  "SELECT" "DISTINCT" "ALL" "ON" "TOP" "FROM" "STREAM" "SAMPLE" "PREWHERE" "WHERE" "GROUP" "BY"
  "ROLLUP" "CUBE" "TOTALS" "GROUPING" "SETS" "HAVING" "WINDOW" "QUALIFY" "ORDER" "NULLS" "FIRST" "LAST"
  "COLLATE" "WITH" "RECURSIVE" "MATERIALIZED" "FILL" "TO" "STEP" "STALENESS" "INTERPOLATE" "LIMIT"
  "OFFSET" "TIES" "FETCH" "NEXT" "ROWS" "ONLY" "SETTINGS" "FORMAT" "INTO" "OUTFILE" "STDOUT" "APPEND"
  "TRUNCATE" "COMPRESSION" "LEVEL" "AS" "USING" "UNION" "EXCEPT" "INTERSECT" "PARALLEL" "EXPLAIN"
  "DESCRIBE" "DESC" "TABLE" "VALUES" "JOIN" "ARRAY" "GLOBAL" "OVER" "PARTITION" "RANGE" "GROUPS"
  "CURRENT" "UNBOUNDED" "PRECEDING" "FOLLOWING" "FILTER" "IGNORE" "RESPECT" "INTERVAL" "CAST" "BOTH"
  "FOR" "PLACING" "COLUMNS" "REPLACE" "STRICT" "APPLY" "SKIP"
  (join_kind) (direction) (explain_kind) (final)
] @keyword

["CASE" "WHEN" "THEN" "ELSE" "END"] @keyword.conditional
["?"] @keyword.conditional.ternary

[
  "AND" "OR" "NOT" "IN" "IS" "BETWEEN" "LIKE" "DIV" "EXISTS" "ESCAPE" "AT TIME ZONE" "AT LOCAL"
] @keyword.operator

[
  "=" "comparison" "+" "-" "*" "/" "||" "->" "::" ".:"
] @operator

["(" ")" "[" "]" "{" "}"] @punctuation.bracket
["," ";" ":" "." ".*"] @punctuation.delimiter

; SCHEMA blocks --------------------------------------------------------------------------------------------

(column_definition name: (identifier) @property)
(json_path) @string.special.path
(index_definition name: (identifier) @property)
["DEFAULT" "MATERIALIZED" "ALIAS" "CODEC" "INDEX" "TYPE" "GRANULARITY" "DELETE"] @keyword
