[
  (select_query)
  (subquery)
  (with_clause)
  (cte)
  (case)
  (argument_list)
  (tuple)
  (array)
  (comment)
  (template_comment)
] @fold
