/**
 * @file Tree-sitter grammar for ClickHouse SELECT statements with Tinybird template tags.
 * @license Apache-2.0
 */

/// <reference types="tree-sitter-cli/dsl" />

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
    $.missing_operand,
    $.missing_name,
    $._from_marker,
    $.unclosed_statement,
    $._error_sentinel,
  ],

  extras: $ => [/\s/, $.comment, $.template_comment, $.template_statement, $.unclosed_statement],

  inline: $ => [$._primary, $._compound, $._literal],

  conflicts: $ => [
    [$.interval, $._soft_keyword],
    [$.cte, $._operand_name],
    [$.lambda_parameters, $.column_ref],
  ],

  rules: {
    source_file: $ =>
      seq(
        optional($.template_marker),
        optional(choice(
          seq($.statement, repeat(seq(';', $.statement)), optional(';')),
          // The body of a SCHEMA block, for highlighting by injection. A statement never starts with
          // a plain name.
          $.column_definitions,
        )),
      ),

    ...require('./rules/queries'),
    ...require('./rules/expressions'),
    ...require('./rules/types'),
    ...require('./rules/lexical'),
  },
});
