/**
 * @file Tree-sitter grammar for ClickHouse SELECT statements with Tinybird template tags.
 * @license Apache-2.0
 */

/// <reference types="tree-sitter-cli/dsl" />

const { keywordRules } = require('./rules/helpers');

module.exports = grammar({
  name: 'headwater_sql',

  word: $ => $.identifier,

  // Order is the scanner's `enum Token`.
  externals: $ => [
    $.template_statement,
    $._alternative,
    $._template_hole,
    $._heredoc,
    $._as,
    $._in,
    $._or,
    $._global_in,
    $._at_time_zone,
    $._at_local,
    $._escape,
    $._interval,
    $._interval_text,
    $._interval_range,
    $._case,
    $._name_marker,
    $._argument_distinct,
    $._argument_side,
    $._argument_unit,
    $._argument_marker,
    $.missing_parenthesis,
    $.missing_operand,
    $.missing_name,
    $._from_marker,
    $._list_end,
    $.comment,
    $.template_comment,
    $.unclosed_comment,
    $.unclosed_statement,
    $._expressions_start,
    $._indexes_start,
    $.other_statement,
    $.insert_target,
    $._error_sentinel,
  ],

  extras: $ => [
    /[\s\u0085\u00A0\u180E\u2000-\u200D\u2028\u2029\u202F\u205F\u2060\u3000\uFEFF]/, $.comment, $.template_comment, $.template_statement, $.unclosed_comment, $.unclosed_statement,
  ],

  inline: $ => [$._primary, $._compound, $._literal, $._like, $._rows, $._list_separator, $._argument_items, $._argument_rest],

  conflicts: $ => [
    [$.cte, $._operand_name],
    [$.lambda_parameters, $.column_ref],
  ],

  rules: {
    source_file: $ =>
      seq(
        optional($.template_marker),
        optional(choice(
          seq(repeat(';'), $.statement, repeat(seq(repeat1(';'), $.statement)), repeat(';')),
          // The body of a SCHEMA block, for highlighting by injection. A statement never starts with
          // a plain name.
          $.column_definitions,
          // The bodies and values of INDEXES, keys, TTL and engine settings. The scanner tells them
          // from the above, by an empty token.
          seq($._indexes_start, $.index_definitions),
          seq($._expressions_start, $.expressions),
        )),
      ),

    ...require('./rules/queries'),
    ...require('./rules/expressions'),
    ...require('./rules/types'),
    ...keywordRules,
    ...require('./rules/lexical'),
  },
});
