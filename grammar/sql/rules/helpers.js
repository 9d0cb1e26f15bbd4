/**
 * Helpers shared by the rule files.
 * @license Apache-2.0
 */

/// <reference types="tree-sitter-cli/dsl" />

/** A pattern for an ASCII word in any letter case. */
const anyCase = word =>
  new RegExp(word.replace(/[a-z]/g, letter => `[${letter}${letter.toUpperCase()}]`));

/** All keywords with a rule of their own. */
const KEYWORDS = `
  alias all and append apply array ast asc between by cast codec collate columns compression cube
  current date default delete describe disk distinct else end estimate except exists explain
  false fetch fill filter final first following for format from granularity group grouping
  groups having if ignore index insert interpolate intersect into is join last level like limit
  local materialized next not null nulls offset on only order outer outfile over parallel partition pipeline
  placing plan preceding prewhere qualify query range recompress recursive regexp replace respect rollup sample
  select sets settings skip staleness stdout step stream strict syntax table then ties timestamp to top
  totals transaction tree true truncate type unbounded union unknown using values volume when where window
  with
`.trim().split(/\s+/);

/**
 * A keyword in any letter case. It matches a subset of what `identifier` matches, so the generator
 * takes it out of the main lexer and looks it up after an identifier was read; where the keyword
 * cannot stand the same text is an identifier. That is what keeps `SELECT date, format FROM values`
 * working without a list of reserved words.
 *
 * Each is a rule (`_WHERE`) rather than a pattern in place: the generated tables repeat the symbol's
 * name tens of thousands of times, and a name made up for a pattern is three times as long.
 */
const kw = word => {
  if (!KEYWORDS.includes(word)) throw new Error(`not in KEYWORDS: ${word}`);
  return alias(sym(`_${word.toUpperCase()}`), word.toUpperCase());
};

/** Several keywords in a row. */
const kws = words => seq(...words.split(' ').map(kw));

const keywordRules = Object.fromEntries(
  KEYWORDS.map(word => [`_${word.toUpperCase()}`, _ => anyCase(word)]),
);

const sepBy1 = (separator, rule) => seq(rule, repeat(seq(separator, rule)));

const commaList1 = rule => sepBy1(',', rule);

/** ClickHouse allows one more comma at the end of some lists, and template loops leave one behind. */
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
  zone: 13,
  negate: 14,
  postfix: 15,
  call: 16,
};

module.exports = { anyCase, kw, kws, keywordRules, sepBy1, commaList1, trailing, parens, PREC };
