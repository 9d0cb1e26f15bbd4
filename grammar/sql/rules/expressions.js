/**
 * Expressions, with ClickHouse's own operator priorities.
 * @license Apache-2.0
 */

/// <reference types="tree-sitter-cli/dsl" />

const { anyCase, kw, kws, commaList1, trailing, parens, PREC } = require('./helpers');

const binary = ($, operator) =>
  seq(field('left', $._expression), field('operator', operator), field('right', $._expression));

module.exports = {
  // An operand, or what operators make of operands.
  _expression: $ => choice($._primary, $._compound),

  // ClickHouse takes `expr AS name` wherever a whole expression stands, but not as an operand.
  _value: $ => choice($._expression, $.aliased_expression),

  _compound: $ =>
    choice(
      $.binary_expression,
      $.unary_expression,
      $.in_expression,
      $.between_expression,
      $.is_expression,
      $.time_zone_expression,
      $.ternary_expression,
      $.lambda,
      $.template_alternative,
      $.template_juxtaposition,
    ),

  _primary: $ =>
    choice(
      $.column_ref,
      $._literal,
      $.function_call,
      $.window_function,
      $.tuple,
      $.parenthesized_expression,
      $.array,
      $.map,
      $.template_output,
      $.unclosed_template,
      $.query_parameter,
      // `((SELECT 1))` is an expression in parentheses, not a query.
      prec(1, $.subquery),
      $.star,
      $.subscript,
      $.tuple_access,
      $.cast,
      $.case,
      $.interval,
      $.exists,
      $.typed_literal,
      $.template_hole,
      $.missing_operand,
    ),

  _literal: $ =>
    choice(
      $.number,
      alias($._special_number, $.number),
      $.string,
      alias($._heredoc, $.string),
      $.unclosed_string,
      $.null,
      $.boolean,
    ),

  // `DATE '2024-01-01'`
  typed_literal: $ => seq(field('type', choice(kw('date'), kw('timestamp'))), field('value', $.string)),

  // A template output alone is a `template_output`, not a column of one part.
  column_ref: $ => choice($._operand_name, $.templated_name, $.system_variable, $._column_path),

  _column_path: $ =>
    prec.left(PREC.call, seq(
      choice($._operand_name, $.templated_name, $.template_output, $.query_parameter, $._column_path),
      '.',
      $._path_part,
    )),

  // `a.^b` is a sub-object of a JSON column, `a.@b` its value whatever the type.
  _path_part: $ =>
    choice(
      $._name, $.template_output, $.templated_name, $.query_parameter, $.missing_name,
      seq(choice('^', '@'), $._name),
    ),

  // `@@version`
  system_variable: _ => /@@[A-Za-z_0-9$.]+/,

  star: $ =>
    prec.right(seq(
      choice(
        '*',
        prec(PREC.postfix, seq(field('qualifier', $._expression), alias($._dot_star, '.*'))),
        $.columns_matcher,
      ),
      repeat($._column_transformer),
      optional(choice(
        alias($._open_replace_columns, $.replace_columns),
        alias($._open_apply_columns, $.apply_columns),
      )),
    )),

  _dot_star: _ => /\.\s*\*/,

  columns_matcher: $ =>
    choice(
      prec(PREC.call, seq(kw('columns'), field('arguments', $.argument_list))),
      prec(PREC.postfix, seq(
        field('qualifier', $._expression),
        alias($._dot_columns, '.COLUMNS('),
        choice($._argument_rest, ')'),
      )),
    ),

  // With the parenthesis, for `t.columns` is a column.
  _dot_columns: _ => /\.\s*[cC][oO][lL][uU][mM][nN][sS]\s*\(/,

  _column_transformer: $ =>
    choice($.except_columns, $.replace_columns, $.apply_columns, $.like_columns),

  // With a query it is the set operation of that name; only what follows tells.
  except_columns: $ =>
    prec.right(1, seq(
      kw('except'),
      choice(
        seq(optional(kw('strict')), $._column_set),
        field('query', $.subquery),
      ),
    )),

  _column_set: $ => choice($._name, $.string, parens(trailing($._column_set_item))),

  _column_set_item: $ => choice($._name, $.string, $.template_output),

  replace_columns: $ =>
    prec.right(1, seq(
      kw('replace'),
      optional(kw('strict')),
      parens(trailing($.aliased_expression)),
    )),

  // Without parentheses, as the last of the transformers: an expression that one more could follow
  // would have a copy of all operator states.
  _open_replace_columns: $ => prec.right(PREC.alias, seq(kw('replace'), optional(kw('strict')), $.aliased_expression)),

  _open_apply_columns: $ => prec.right(seq(kw('apply'), field('function', $.lambda))),

  apply_columns: $ =>
    prec.right(1, seq(
      kw('apply'),
      choice(
        seq(field('function', $._name), optional(field('parameters', $.argument_list))),
        seq('(', field('function', $._value), optional(seq(',', field('prefix', $.string))), ')'),
      ),
    )),

  like_columns: $ =>
    prec.right(1, seq(optional(kw('not')), $._like, field('pattern', $.string))),

  // Parentheses, tuples, arrays, maps -------------------------------------------------------------

  parenthesized_expression: $ => prec(1, parens($._value)),

  tuple: $ =>
    choice(
      seq('(', ')'),
      seq('(', $._value, ',', optional(trailing($._value)), ')'),
    ),

  array: $ => seq('[', optional(trailing($._value)), ']'),

  map: $ => seq('{', optional(trailing($.map_entry)), '}'),

  map_entry: $ => seq(field('key', $._value), ':', field('value', $._value)),

  aliased_expression: $ =>
    prec.left(PREC.alias, seq(field('value', $._expression), alias($._as, 'AS'), field('alias', $._alias_name))),

  // CASE, CAST and the functions with words between their arguments take an alias without AS. Others do not, but
  // a rule for each list of arguments would copy all operator states; `f(a b)` is for whoever reads the tree.
  _argument: $ => choice($._value, alias($._loose_alias, $.aliased_expression)),

  _loose_alias: $ => prec.left(PREC.alias, seq(field('value', $._expression), field('alias', $._name))),

  _alias_name: $ => choice($._name, $.template_output, $.templated_name, $.query_parameter),

  // The marker never comes: its validity tells the scanner that FROM may start a query here.
  subquery: $ => parens(choice(field('query', choice($._query, $.explain)), $._from_marker)),

  // Postfix ---------------------------------------------------------------------------------------

  // `a[]` goes through an array of JSON objects.
  subscript: $ =>
    prec(PREC.postfix, seq(field('value', $._expression), '[', optional(field('index', $._value)), ']')),

  tuple_access: $ =>
    choice(
      prec(PREC.postfix, seq(field('value', $._expression), $._tuple_step)),
      // What begins as a path of names ends as one, unless no name follows.
      prec(PREC.postfix, seq(
        field('value', alias(choice($._operand_name, $._column_path), $.column_ref)), '.', field('name', $._tuple_key),
      )),
    ),

  _tuple_step: $ =>
    choice(
      field('index', $.tuple_index),
      seq('.', field('name', choice($._path_part, $._tuple_key))),
      seq(alias($._dot_colon, '.:'), field('type', $.data_type)),
    ),

  // The engine takes any operand behind the dot; these are the ones that no operator could begin.
  _tuple_key: $ => choice($.string, $.tuple, $.parenthesized_expression, $.array),

  _dot_colon: _ => /\.\s*:/,

  cast: $ =>
    choice(
      prec(PREC.postfix, seq(field('value', $._expression), '::', field('type', $.data_type))),
      // `-1::Int8` is the number -1.
      prec(PREC.call, seq(field('value', alias($._signed_number, $.unary_expression)), '::', field('type', $.data_type))),
      prec(PREC.call, seq(
        kw('cast'),
        '(',
        field('value', choice($._expression, $.aliased_expression, alias($._loose_alias, $.aliased_expression))),
        choice(
          seq(alias($._as, 'AS'), field('type', $.data_type)),
          seq(',', field('type_name', $._value)),
        ),
        ')',
      )),
    ),

  _signed_number: $ => prec(PREC.call, seq(
    field('operator', $._sign),
    field('operand', choice($.number, alias($._special_number, $.number))),
  )),

  // Calls -----------------------------------------------------------------------------------------

  function_call: $ =>
    prec.right(PREC.call, seq(
      field('name', choice(
        $._operand_name,
        $.template_output,
        $.templated_name,
        alias($._column_path, $.column_ref),
      )),
      choice(
        field('arguments', $.argument_list),
        seq(field('parameters', $.argument_list), field('arguments', $.argument_list)),
      ),
      repeat(choice($._nulls_treatment, $.filter_clause)),
    )),

  // The words of `EXTRACT(DAY FROM x)`, `TRIM(BOTH 'a' FROM x)`, `SUBSTRING(x FROM 1 FOR 2)` and
  // `OVERLAY(x PLACING y FROM 1)` may stand between the arguments of any function: a rule for each would
  // copy all operator states.
  argument_list: $ =>
    seq('(', choice(
      $._argument_rest,
      seq(choice(alias($._argument_distinct, 'DISTINCT'), alias($._argument_side, 'BOTH')), $._argument_rest),
      seq(alias($._argument_unit, $.interval_unit), kw('from'), $._argument_rest),
      seq(field('query', $._query), ')'),
      ')',
    )),

  _argument_rest: $ => seq($._argument_items, choice(')', $.missing_parenthesis)),

  _argument_items: $ =>
    seq($._argument, repeat(seq(choice(',', $._argument_word), $._argument)), optional(',')),

  // The marker is empty: it says that FROM does not begin a clause.
  _argument_word: $ => seq($._argument_marker, choice(kw('from'), kw('for'), kw('placing'))),

  _nulls_treatment: $ => seq(choice(kw('ignore'), kw('respect')), kw('nulls')),

  filter_clause: $ => seq(kw('filter'), '(', kw('where'), field('condition', $._value), ')'),

  window_function: $ =>
    prec.right(PREC.call, seq(field('function', $.function_call), field('over', $.over))),

  over: $ => seq(kw('over'), choice(field('name', $._name), $.window_specification)),

  window_specification: $ => seq('(', optional($._window_body), ')'),

  _window_body: $ =>
    choice(
      seq(field('base', choice($._name, alias($._keyword_name, $.identifier))), repeat($._window_part)),
      repeat1($._window_part),
    ),

  _window_part: $ =>
    choice(
      seq(kws('partition by'), field('partition', trailing($._value))),
      $.order_by_clause,
      $.window_frame,
    ),

  window_frame: $ =>
    seq(
      choice($._rows, kw('range'), kw('groups')),
      choice(
        seq(kw('between'), $.frame_bound, kw('and'), $.frame_bound),
        $.frame_bound,
      ),
    ),

  frame_bound: $ =>
    choice(
      seq(kw('current'), $._rows),
      seq(choice(kw('unbounded'), $._value), choice(kw('preceding'), kw('following'))),
    ),

  // ROW, ROWS
  _rows: $ => alias($._row_word, 'ROWS'),
  _row_word: _ => anyCase('rows?'),

  // Forms with words of their own -----------------------------------------------------------------

  case: $ =>
    seq(
      alias($._case, 'CASE'),
      optional(field('value', $._argument)),
      repeat1($.when),
      optional(seq(kw('else'), field('else', $._argument))),
      kw('end'),
    ),

  when: $ =>
    seq(kw('when'), field('condition', $._argument), kw('then'), field('result', $._argument)),

  // The unit is any word: the scanner looks for one before it lets INTERVAL be more than a name.
  interval: $ =>
    choice(
      seq(alias($._interval_text, 'INTERVAL'), field('value', $.string)),
      seq(
        alias($._interval, 'INTERVAL'),
        field('value', $._value),
        field('unit', alias($.identifier, $.interval_unit)),
      ),
      // `INTERVAL '1:30' HOUR TO MINUTE`
      seq(
        alias($._interval_range, 'INTERVAL'),
        field('value', $.string),
        field('unit', alias($.identifier, $.interval_unit)),
        kw('to'),
        field('unit', alias($.identifier, $.interval_unit)),
      ),
    ),

  exists: $ => prec(PREC.call, seq(kw('exists'), field('query', $.subquery))),

  // Operators -------------------------------------------------------------------------------------

  unary_expression: $ =>
    choice(
      prec(PREC.not, seq(field('operator', kw('not')), field('operand', $._expression))),
      prec(PREC.negate, seq(field('operator', $._sign), field('operand', $._expression))),
    ),

  binary_expression: $ =>
    choice(
      prec.left(PREC.or, binary($, alias($._or, 'OR'))),
      prec.left(PREC.and, binary($, kw('and'))),
      prec.left(PREC.is, binary($, $._distinct_operator)),
      prec.left(PREC.compare, binary($, $._compare_operator)),
      prec.left(PREC.concat, binary($, '||')),
      prec.left(PREC.add, binary($, $._sign)),
      prec.left(PREC.multiply, binary($, $._multiply_operator)),
    ),

  _distinct_operator: _ => seq(kw('is'), optional(kw('not')), kws('distinct from')),

  _compare_operator: $ =>
    choice('=', alias($._compare, 'comparison'), seq(optional(kw('not')), $._like), alias($._escape, 'ESCAPE')),

  // One token, for each would be an entry of every operator state.
  _compare: _ => /==|!=|<>|<=>|<=?|>=?/,

  _like: $ => alias($._like_word, 'LIKE'),
  _like_word: _ => anyCase('i?like|regexp'),

  _sign: $ => choice('+', alias($._minus, '-')),
  _minus: _ => /[-\u2212]/,

  _multiply_operator: $ => choice('*', alias($._slash, '/'), alias($._div_word, 'DIV')),
  _slash: _ => /[\/%]/,
  _div_word: _ => anyCase('div|mod'),

  in_expression: $ =>
    prec.left(PREC.compare, seq(
      field('left', $._expression),
      field('operator', $._in_operator),
      field('right', $._expression),
    )),

  _in_operator: $ => seq(optional(alias($._global_in, 'GLOBAL')), optional(kw('not')), alias($._in, 'IN')),

  between_expression: $ =>
    prec.left(PREC.between, seq(
      field('value', $._expression),
      optional(kw('not')),
      kw('between'),
      field('low', $._expression),
      kw('and'),
      field('high', $._expression),
    )),

  is_expression: $ =>
    prec.left(PREC.is, seq(
      field('value', $._expression),
      kw('is'),
      optional(kw('not')),
      choice($.null, $.boolean, alias($._UNKNOWN, $.null)),
    )),

  // `x AT TIME ZONE 'UTC'`, `x AT LOCAL`
  time_zone_expression: $ =>
    choice(
      prec.left(PREC.zone, seq(field('value', $._expression), alias($._at_time_zone, 'AT TIME ZONE'), field('zone', $._expression))),
      prec.left(PREC.zone, seq(field('value', $._expression), alias($._at_local, 'AT LOCAL'))),
    ),

  ternary_expression: $ =>
    prec.right(PREC.ternary, seq(
      field('condition', $._expression),
      '?',
      field('then', $._value),
      ':',
      field('else', $._expression),
    )),

  lambda: $ =>
    prec.right(PREC.lambda, seq(
      field('parameters', choice($._operand_name, alias($._column_path, $.column_ref), $.lambda_parameters)),
      '->',
      field('body', $._expression),
    )),

  lambda_parameters: $ => parens(optional(trailing($._operand_name))),

  // Templates ---------------------------------------------------------------------------------------

  // `{% if a %} x {% else %} y {% end %}`: both branches stand in the text one after the other. The
  // scanner reports the tag between two complete operands, which nothing else can separate.
  template_alternative: $ =>
    prec.left(PREC.alternative, seq(
      $._expression,
      alias($._alternative, $.template_statement),
      $._expression,
    )),

  // `{% for x in xs %} a = {{x}} OR {% end %} )`: an operand that no branch supplies. The tag stands in
  // for it.
  template_hole: $ => alias($._template_hole, $.template_statement),

  // `a = 1 {{extra_condition}}`
  template_juxtaposition: $ =>
    prec.left(PREC.juxtaposed, seq($._expression, $.template_output)),
};
