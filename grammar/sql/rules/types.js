/**
 * Data types, and the column lists of a SCHEMA block.
 * @license Apache-2.0
 */

/// <reference types="tree-sitter-cli/dsl" />

const { anyCase, kw, kws, commaList1, trailing } = require('./helpers');

module.exports = {
  column_definitions: $ => seq(commaList1($.column_definition), optional(',')),

  // `name Type `json:$.path` DEFAULT expr CODEC(…)`, the tail in any order.
  column_definition: $ =>
    seq(
      field('name', $._name),
      optional(field('type', $.data_type)),
      repeat(choice(
        field('json_path', $.json_path),
        seq(choice(kw('default'), kw('materialized'), kw('alias')), field('default', $._value)),
        seq(kw('codec'), field('codec', $.argument_list)),
      )),
    ),

  // `INDEX name expr TYPE set(100) GRANULARITY 4`, one a line, commas optional.
  index_definitions: $ => repeat1(seq($.index_definition, optional(','))),

  index_definition: $ =>
    prec.right(seq(
      optional(kw('index')),
      field('name', $._name),
      field('expression', $._value),
      kw('type'),
      field('type', $.data_type),
      optional(seq(kw('granularity'), field('granularity', $.number))),
    )),

  // Sorting and partition keys, TTL expressions, engine settings.
  expressions: $ => seq(commaList1($._keyed_value), optional(',')),

  _keyed_value: $ =>
    seq(
      $._value,
      optional(field('direction', $.direction)),
      // What a TTL does, `DELETE` if nothing is said.
      optional(choice(
        seq(kw('delete'), optional($.where_clause)),
        $.where_clause,
        $.ttl_move,
        $.ttl_recompress,
        // Any word in place of SET: as a keyword that begins SETTINGS it would keep states apart.
        seq($.group_by_clause, optional(seq(alias($.identifier, 'SET'), $._ttl_set))),
      )),
    ),

  // `TO DISK 'cold'`, `TO VOLUME 'slow'`
  ttl_move: $ => seq(kw('to'), optional(kws('if exists')), choice(kw('disk'), kw('volume')), field('target', $.string)),

  // `RECOMPRESS CODEC(ZSTD(9))`
  ttl_recompress: $ => seq(kw('recompress'), kw('codec'), field('codec', $.argument_list)),

  // Only what follows tells whether a comma goes on with these or begins the next TTL.
  _ttl_set: $ => prec.right(commaList1(choice($.ttl_assignment, $._keyed_value))),

  ttl_assignment: $ => prec(1, seq(field('column', $._name), '=', field('value', $._value))),

  json_path: $ => prec(1, $._quoted),

  data_type: $ =>
    prec.right(seq(
      field('name', choice($._name, $.template_output)),
      // `DOUBLE PRECISION`, `CHAR VARYING(10)`, `INT UNSIGNED`
      repeat($.type_word),
      optional(field('arguments', $.type_arguments)),
    )),

  type_word: _ => anyCase('precision|varying|signed|unsigned|large|object'),

  type_arguments: $ => seq('(', optional(trailing($._type_argument)), ')'),

  _type_argument: $ =>
    choice(
      $.data_type,
      $.number,
      $.negative_number,
      $.string,
      alias($.typed_path, $.type_field),
      $.enum_value,
      $.type_setting,
      $.type_skip,
      $.query_parameter,
      alias($._type_array, $.array),
    ),

  // `AggregateFunction(sumMapFiltered([1, 2]), …)`
  _type_array: $ => seq('[', optional(trailing($._type_argument)), ']'),

  negative_number: $ => seq($._sign, choice($.number, alias($._special_number, $.number))),

  // `Tuple(a T)`, `Nested(a T)`, `JSON(a.b T)`
  typed_path: $ =>
    seq(field('name', alias($._type_path, $.column_ref)), field('type', $.data_type)),

  _type_path: $ => prec.right(seq($._name, repeat(seq('.', $._name)))),

  // `Enum8('a' = 1)`
  enum_value: $ =>
    seq(
      field('name', $.string),
      '=',
      field('value', choice($.number, $.negative_number)),
    ),

  // `JSON(max_dynamic_paths = 16)`
  type_setting: $ => seq(field('name', $._name), '=', field('value', choice($.number, $.string, $.boolean))),

  // `JSON(SKIP a.b, SKIP REGEXP 're')`
  type_skip: $ =>
    prec(1, seq(
      kw('skip'),
      choice(alias($._type_path, $.column_ref), seq($._like, $.string)),
    )),
};
