[
  (subquery)
  (argument_list)
  (tuple)
  (parenthesized_expression)
  (array)
  (map)
  (case)
  (select_list)
  (where_clause)
  (prewhere_clause)
  (having_clause)
  (window_specification)
] @indent.begin

[")" "]" "}" "END"] @indent.branch @indent.end
