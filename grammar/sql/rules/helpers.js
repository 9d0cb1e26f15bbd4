/**
 * Helpers shared by the rule files.
 * @license Apache-2.0
 */

/// <reference types="tree-sitter-cli/dsl" />

/** A pattern for an ASCII word in any letter case. */
const anyCase = word =>
  new RegExp(word.replace(/[a-z]/g, letter => `[${letter}${letter.toUpperCase()}]`));

/**
 * A keyword in any letter case. It matches a subset of what `identifier` matches, so the generator
 * takes it out of the main lexer and looks it up after an identifier was read; where the keyword
 * cannot stand the same text is an identifier. That is what keeps `SELECT date, format FROM values`
 * working without a list of reserved words.
 */
const kw = word => alias(anyCase(word), word.toUpperCase());

/** Several keywords in a row. */
const kws = words => seq(...words.split(' ').map(kw));

const sepBy1 = (separator, rule) => seq(rule, repeat(seq(separator, rule)));

const commaList1 = rule => sepBy1(',', rule);

/** ClickHouse allows one more comma at the end of many lists, and template loops leave one behind. */
const trailing = rule => seq(commaList1(rule), optional(','));

const parens = rule => seq('(', rule, ')');

/** Binding powers, in the order of ClickHouse's operator table. */
const PREC = {
  // Lowest, so that `expr AS x` is an item's own alias wherever there is an item.
  alias: -6,
  item: -5,
  alternative: -2,
  juxtaposed: -1,
  lambda: 1,
  ternary: 2,
  or: 3,
  and: 4,
  not: 5,
  is: 6,
  between: 7,
  compare: 9,
  concat: 10,
  add: 11,
  multiply: 12,
  negate: 13,
  postfix: 14,
  call: 15,
};

module.exports = { anyCase, kw, kws, sepBy1, commaList1, trailing, parens, PREC };
