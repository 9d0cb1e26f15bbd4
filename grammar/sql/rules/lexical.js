/**
 * Tokens: names, literals and template tags. Comments come from the scanner.
 * @license Apache-2.0
 */

/// <reference types="tree-sitter-cli/dsl" />

const { anyCase, kw, PREC } = require('./helpers');

module.exports = {
  // Before the names that start with a digit: of two tokens that match the same text the first wins.
  number: _ =>
    token(choice(
      /0[xX][0-9a-fA-F]+(_[0-9a-fA-F]+)*(\.([0-9a-fA-F]+(_[0-9a-fA-F]+)*)?)?([pP][+-]?[0-9]+(_[0-9]+)*)?/,
      /0[bB][01]+(_[01]+)*/,
      /[0-9]+(_[0-9]+)*(\.([0-9]+(_[0-9]+)*)?)?([eE][+-]?[0-9]+(_[0-9]+)*)?/,
      /\.[0-9]+(_[0-9]+)*([eE][+-]?[0-9]+(_[0-9]+)*)?/,
    )),

  // Quoted, or starting with a digit (`1st`), which no keyword does either.
  _quoted: _ =>
    token(choice(/`([^`\\\u{10FFFF}]|\\.|``)*`/, /"([^"\\\u{10FFFF}]|\\.|"")*"/, /“[^”]*”/, /[0-9]+[A-Za-z_][A-Za-z0-9_]*/)),

  // A name where no keyword of the language may stand instead (aliases, parts after a dot).
  _name: $ => choice($.identifier, alias($._quoted, $.identifier)),

  // A name at the start of an operand. The keywords that begin a special form there are names too;
  // all others are names by themselves wherever they are not expected.
  _operand_name: $ => choice($._name, alias(choice($._soft_keyword, $._keyword_name), $.identifier)),

  _soft_keyword: $ => prec(-1, choice($._CAST, $._COLUMNS, $._DATE, $._EXISTS, $._GROUPING, $._TIMESTAMP)),

  // A word that begins something else where a name may stand. The marker is empty: the scanner saw that it is a name.
  _keyword_name: $ =>
    seq($._name_marker, choice($._FROM, $._SELECT, $._WITH, $._EXPLAIN, $._ORDER, $._PARTITION)),

  // `events_{{env}}`, `{{prefix}}_total`: one name in pieces, with nothing between them.
  templated_name: $ =>
    prec.right(choice(
      seq($.identifier, $._glued_pieces),
      seq($.template_output, $._glued_word, optional($._glued_pieces)),
      seq($.template_output, $._glued_pieces),
    )),

  _glued_pieces: $ => prec.right(repeat1(seq($._glued_template, optional($._glued_word)))),

  // A set without the last character is one that the generator lets hold a NUL; what that character means has
  // not been given by anyone.
  string: _ =>
    token(choice(
      /'([^'\\\u{10FFFF}]|\\(.|\n|\r)|'')*'/,
      /‘[^’]*’/,
      // Hexadecimal and binary strings.
      /[xX]'[0-9a-fA-F]*'/,
      /[bB]'[01]*'/,
    )),

  // Being typed: no further quote in the whole text. Ends with the line to keep the rest in shape.
  unclosed_string: _ => /'([^'\\\r\n]|\\[^\r\n])*/,

  // Words to the lexer, numbers to the language.
  _special_number: _ => anyCase('inf(inity)?|nan'),

  null: _ => kw('null'),

  boolean: _ => choice(kw('true'), kw('false')),

  // A dot and an index in one token, so that `t.1` is decided by the lexer and `t.1.2` is no float.
  tuple_index: _ => /\.\s*-?[0-9]+/,

  template_output: _ => TEMPLATE_OUTPUT,
  _glued_template: $ => alias($._glued_template_output, $.template_output),
  _glued_template_output: _ => token.immediate(TEMPLATE_OUTPUT),
  _glued_word: _ => token.immediate(prec(1, /[A-Za-z0-9_]+/)),

  unclosed_template: _ => /\{\{[^}\r\n]*/,

  // `%` as the first character switches templating on.
  template_marker: _ => '%',

  // `{name:Type}`
  query_parameter: $ =>
    prec(PREC.call, seq('{', field('name', $._name), ':', field('type', $.data_type), '}')),

  // The word token. Last in the grammar: of two patterns matching the same text the earlier wins, and
  // a keyword has to win to be extracted.
  identifier: _ => /[A-Za-z_$][A-Za-z0-9_$]*/,
};

// Ends at the first `}}`, as the template engine has it: strings do not hide it. Another opening
// delimiter before that means that this tag is still being typed (`unclosed_template`).
const TEMPLATE_OUTPUT = /\{\{([^{}]|\{[^{%]|\}[^}])*\}\}/;
