/**
 * Expressions, with ClickHouse's own operator priorities.
 * @license Apache-2.0
 */

/// <reference types="tree-sitter-cli/dsl" />

const { anyCase, kw, kws, trailing, parens, PREC } = require('./helpers');

const binary = ($, operator) =>
  seq(field('left', $._expression), field('operator', operator), field('right', $._expression));

module.exports = {
  _expression: $ => choice($._primary, $._compound),

  _compound: $ =>
    choice(
      $.binary_expression,
      $.unary_expression,
      $.in_expression,
      $.between_expression,
      $.is_expression,
      $.ternary_expression,
      $.lambda,
      $.aliased_expression,
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
      $.extract,
      $.trim,
      $.substring,
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
  column_ref: $ => choice($._operand_name, $.templated_name, $._column_path),

  _column_path: $ =>
    prec.left(PREC.call, seq(
      choice($._operand_name, $.templated_name, $.template_output, $._column_path),
      '.',
      $._path_part,
    )),

  _path_part: $ =>
    choice($._name, $.template_output, $.templated_name, seq('^', $._name), $.missing_name),

  star: $ =>
    prec.right(seq(
      choice('*', seq(field('qualifier', $.column_ref), alias($._dot_star, '.*')), $.columns_matcher),
      repeat($._column_transformer),
    )),

  _dot_star: _ => /\.\*/,

  columns_matcher: $ =>
    prec(1, seq(
      kw('columns'),
      parens(choice(field('pattern', $.string), $.template_output, trailing(field('column', $._name)))),
    )),

  _column_transformer: $ => choice($.except_columns, $.replace_columns, $.apply_columns),

  except_columns: $ =>
    prec.right(1, seq(
      kw('except'),
      optional(kw('strict')),
      choice($._name, parens(choice(trailing($._name), $.string, $.template_output))),
    )),

  replace_columns: $ =>
    seq(
      kw('replace'),
      optional(kw('strict')),
      parens(trailing($.aliased_expression)),
    ),

  apply_columns: $ =>
    prec.right(seq(
      kw('apply'),
      choice(
        seq(field('function', $._name), optional(field('parameters', $.argument_list))),
        parens(field('function', $._expression)),
      ),
    )),

  // Parentheses, tuples, arrays, maps -------------------------------------------------------------

  parenthesized_expression: $ => prec(1, parens($._expression)),

  tuple: $ =>
    choice(
      seq('(', ')'),
      seq('(', $._expression, ',', ')'),
      seq('(', $._expression, ',', trailing($._expression), ')'),
    ),

  array: $ => seq('[', optional(trailing($._expression)), ']'),

  map: $ => seq('{', optional(trailing($.map_entry)), '}'),

  map_entry: $ => seq(field('key', $._expression), ':', field('value', $._expression)),

  // ClickHouse takes `expr AS name` nearly everywhere, and so every expression may carry one.
  aliased_expression: $ =>
    prec.left(PREC.alias, seq(field('value', $._expression), alias($._as, 'AS'), field('alias', $._alias_name))),

  _alias_name: $ => choice($._name, $.template_output, $.templated_name),

  // The marker never comes: its validity tells the scanner that FROM may start a query here.
  subquery: $ => parens(choice(field('query', $._query), $._from_marker)),

  // Postfix ---------------------------------------------------------------------------------------

  subscript: $ =>
    prec(PREC.postfix, seq(field('value', $._expression), '[', field('index', $._expression), ']')),

  tuple_access: $ =>
    choice(
      prec(PREC.postfix, seq(field('value', $._expression), field('index', $.tuple_index))),
      prec(PREC.postfix, seq(field('value', $._expression), '.', field('name', $._path_part))),
      prec(PREC.postfix, seq(field('value', $._expression), alias($._dot_colon, '.:'), field('type', $.data_type))),
    ),

  _dot_colon: _ => /\.:/,

  cast: $ =>
    choice(
      prec(PREC.postfix, seq(field('value', $._expression), '::', field('type', $.data_type))),
      prec(PREC.call, seq(
        kw('cast'),
        '(',
        field('value', $._expression),
        choice(
          seq(alias($._as, 'AS'), field('type', $.data_type)),
          seq(',', field('type_name', $._expression)),
        ),
        ')',
      )),
    ),

  // Calls -----------------------------------------------------------------------------------------

  function_call: $ =>
    prec.right(PREC.call, seq(
      field('name', choice(
        $._operand_name,
        $.template_output,
        $.templated_name,
        // Names with a special form of their own, called the ordinary way.
        ...['extract', 'trim', 'substring'].map(word => alias(anyCase(word), $.identifier)),
      )),
      choice(
        field('arguments', $.argument_list),
        seq(field('parameters', $.argument_list), field('arguments', $.argument_list)),
      ),
      optional($._nulls_treatment),
      optional($.filter_clause),
      optional($._nulls_treatment),
    )),

  argument_list: $ =>
    seq(
      '(',
      optional(choice(
        seq(optional(kw('distinct')), trailing($._expression)),
        field('query', $._query),
      )),
      ')',
    ),

  _nulls_treatment: $ => seq(choice(kw('ignore'), kw('respect')), kw('nulls')),

  filter_clause: $ => seq(kw('filter'), '(', kw('where'), field('condition', $._expression), ')'),

  window_function: $ =>
    prec.right(PREC.call, seq(field('function', $.function_call), field('over', $.over))),

  over: $ => seq(kw('over'), choice(field('name', $._name), $.window_specification)),

  window_specification: $ =>
    seq(
      '(',
      optional(field('base', $._name)),
      optional(seq(kws('partition by'), field('partition', trailing($._expression)))),
      optional($.order_by_clause),
      optional($.window_frame),
      ')',
    ),

  window_frame: $ =>
    seq(
      choice(kw('rows'), kw('range'), kw('groups')),
      choice(
        seq(kw('between'), $.frame_bound, kw('and'), $.frame_bound),
        $.frame_bound,
      ),
    ),

  frame_bound: $ =>
    choice(
      kws('current row'),
      seq(choice(kw('unbounded'), $._bound_value), choice(kw('preceding'), kw('following'))),
    ),

  // Here and in INTERVAL, SUBSTRING and SETTINGS the value is less than any expression: each further place for a
  // whole expression before words of its own costs a copy of all operator states.
  _bound_value: $ =>
    choice($.number, $.interval, $.column_ref, $.function_call, $.template_output, $.query_parameter),

  // Forms with words inside the parentheses ---------------------------------------------------------

  case: $ =>
    seq(
      kw('case'),
      optional(field('value', $._expression)),
      repeat1($.when),
      optional(seq(kw('else'), field('else', $._expression))),
      kw('end'),
    ),

  when: $ =>
    seq(kw('when'), field('condition', $._expression), kw('then'), field('result', $._expression)),

  extract: $ =>
    prec(PREC.call, seq(
      kw('extract'), '(', field('unit', $.interval_unit), kw('from'), field('value', $._expression), ')',
    )),

  trim: $ =>
    prec(PREC.call, seq(
      kw('trim'), '(',
      choice(kw('both'), kw('leading'), kw('trailing')),
      optional(field('characters', $._expression)),
      kw('from'), field('value', $._expression),
      ')',
    )),

  substring: $ =>
    prec(PREC.call, seq(
      kw('substring'), '(', field('value', $._expression),
      kw('from'), field('start', $._bound_value),
      optional(seq(kw('for'), field('length', $._bound_value))),
      ')',
    )),

  interval: $ =>
    prec.dynamic(1, seq(
      kw('interval'),
      choice(
        seq(field('value', $._interval_value), field('unit', $.interval_unit)),
        seq(field('value', $.string), optional(field('unit', $.interval_unit))),
      ),
    )),

  _interval_value: $ =>
    choice(
      $.number,
      $.column_ref,
      $.function_call,
      $.parenthesized_expression,
      $.subquery,
      $.template_output,
      $.query_parameter,
      alias($._interval_negation, $.unary_expression),
      alias($._interval_arithmetic, $.binary_expression),
    ),

  _interval_negation: $ =>
    prec(PREC.negate, seq(field('operator', '-'), field('operand', $._interval_value))),

  _interval_arithmetic: $ =>
    choice(...[[PREC.add, $._add_operator], [PREC.multiply, $._multiply_operator]].map(
      ([power, operator]) =>
        prec.left(power, seq(
          field('left', $._interval_value),
          field('operator', operator),
          field('right', $._interval_value),
        )),
    )),

  interval_unit: _ =>
    anyCase('(nanosecond|microsecond|millisecond|second|minute|hour|day|week|month|quarter|year)s?'),

  exists: $ => prec(PREC.call, seq(kw('exists'), field('query', $.subquery))),

  // Operators -------------------------------------------------------------------------------------

  unary_expression: $ =>
    choice(
      prec(PREC.not, seq(field('operator', kw('not')), field('operand', $._expression))),
      prec(PREC.negate, seq(field('operator', '-'), field('operand', $._expression))),
    ),

  binary_expression: $ =>
    choice(
      prec.left(PREC.or, binary($, alias($._or, 'OR'))),
      prec.left(PREC.and, binary($, kw('and'))),
      prec.left(PREC.is, binary($, $._distinct_operator)),
      prec.left(PREC.compare, binary($, $._compare_operator)),
      prec.left(PREC.concat, binary($, '||')),
      prec.left(PREC.add, binary($, $._add_operator)),
      prec.left(PREC.multiply, binary($, $._multiply_operator)),
    ),

  _distinct_operator: _ => seq(kw('is'), optional(kw('not')), kws('distinct from')),

  _compare_operator: _ =>
    choice(
      '=', '==', '!=', '<>', '<', '>', '<=', '>=', '<=>',
      seq(optional(kw('not')), choice(kw('like'), kw('ilike'), kw('regexp'))),
    ),

  _add_operator: _ => choice('+', '-'),

  _multiply_operator: _ => choice('*', '/', '%', kw('div'), kw('mod')),

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
      $.null,
    )),

  ternary_expression: $ =>
    prec.right(PREC.ternary, seq(
      field('condition', $._expression),
      '?',
      field('then', $._expression),
      ':',
      field('else', $._expression),
    )),

  lambda: $ =>
    prec.right(PREC.lambda, seq(
      field('parameters', choice($._operand_name, $.lambda_parameters)),
      '->',
      field('body', $._expression),
    )),

  lambda_parameters: $ => parens(trailing($._operand_name)),

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
