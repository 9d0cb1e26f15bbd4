/**
 * Statements, SELECT and its clauses.
 * @license Apache-2.0
 */

/// <reference types="tree-sitter-cli/dsl" />

const { anyCase, kw, kws, commaList1, trailing, parens, sepBy1, PREC } = require('./helpers');

module.exports = {
  statement: $ =>
    seq(
      repeat($.template_output),
      choice($._query, $.explain, $.describe, $.insert, $.other_statement),
      // Those of a SELECT are its own clauses; these stand behind parentheses.
      repeat($._output_clause),
    ),

  explain: $ =>
    prec.right(seq(
      kw('explain'),
      choice(
        seq(
          optional(field('kind', $.explain_kind)),
          optional(commaList1($.setting)),
          field('query', choice($._query, $.explain, $.insert, $.other_statement)),
        ),
        field('kind', alias($._explain_transaction, $.explain_kind)),
      ),
    )),

  // `INSERT INTO t (a) SELECT …`. One with its data is an `other_statement`.
  insert: $ => seq(optional($.with_clause), kw('insert'), $.insert_target, field('query', $._query)),

  explain_kind: _ =>
    choice(kw('ast'), kw('syntax'), kws('query tree'), kw('plan'), kw('pipeline'), kw('estimate')),

  _explain_transaction: $ => kws('current transaction'),

  describe: $ =>
    seq(
      choice(kw('describe'), alias($._direction, 'DESC')),
      optional(kw('table')),
      choice($.table_ref, $.select_query),
    ),

  _query: $ => choice($.select_query, $.set_operation, $.subquery, $.query_alternatives),

  // `{% if a %} SELECT … {% else %} SELECT … {% end %}`: the tags are extras, so the branches simply
  // follow each other.
  query_alternatives: $ => prec.left(0, seq($._query, $.select_query)),

  set_operation: $ =>
    choice(
      prec.left(0, seq(
        field('left', $._query), field('operator', kws('parallel with')), field('right', $._query),
      )),
      ...[[1, choice(kw('union'), kw('except'))], [2, kw('intersect')]].map(([power, operator]) =>
        prec.left(power, seq(
          field('left', $._query),
          field('operator', operator),
          optional(field('operator', choice(kw('all'), kw('distinct')))),
          field('right', $._query),
        ))),
    ),

  // The clauses come in any order and any number: templates repeat them (`{% if a %} ORDER BY x
  // {% else %} ORDER BY y {% end %}`), and a half-typed query keeps its shape.
  select_query: $ =>
    prec.right(seq(
      optional($.with_clause),
      choice($._select, seq($.from_clause, repeat($._clause_before_select), $._select)),
      repeat($._clause),
    )),

  // ClickHouse allows a comma before FROM and at the end. Only there: the words of other clauses stay
  // names.
  _select: $ =>
    prec.right(seq(
      kw('select'),
      optional($.distinct_clause),
      optional($.top_clause),
      choice(
        $.select_list,
        seq(
          alias($._open_select_list, $.select_list),
          choice($.from_clause, $._from_marker, $._list_end),
        ),
      ),
    )),

  _open_select_list: $ => seq(sepBy1($._list_separator, $.select_item), ','),

  distinct_clause: $ =>
    prec.right(choice(
      seq(kw('distinct'), optional(seq(kw('on'), parens(trailing($._value))))),
      kw('all'),
    )),

  top_clause: $ =>
    prec.right(1, seq(
      kw('top'),
      field('count', choice($.number, parens($.number), $.template_output)),
      optional(kws('with ties')),
    )),

  select_list: $ =>
    prec.right(sepBy1($._list_separator, $.select_item)),

  // Between two items a template tag may stand where the comma belongs to only one of its branches.
  _list_separator: $ => choice(',', alias($._alternative, $.template_statement)),

  select_item: $ =>
    prec(PREC.item, seq(
      field('value', $._expression),
      optional(choice(
        seq(alias($._as, 'AS'), field('alias', $._alias_name)),
        field('alias', $._name),
      )),
    )),

  // ClickHouse has none before SELECT; other dialects do.
  _clause_before_select: $ => choice($.prewhere_clause, $.where_clause),

  _clause: $ =>
    choice(
      $.from_clause,
      $.array_join,
      $.prewhere_clause,
      $.where_clause,
      $.group_by_clause,
      $.group_modifier,
      $.having_clause,
      $.window_clause,
      $.qualify_clause,
      $.order_by_clause,
      $.limit_by_clause,
      $.limit_clause,
      $.offset_clause,
      $.interpolate_clause,
      // These belong to the whole statement. Taking them here as well spares a second copy of every
      // state of a SELECT.
      $._output_clause,
    ),

  _output_clause: $ => choice($.settings_clause, $.format_clause, $.into_outfile_clause),

  // WITH ------------------------------------------------------------------------------------------

  with_clause: $ =>
    seq(
      kw('with'),
      optional(kw('recursive')),
      sepBy1($._list_separator, choice($.cte, $.scalar_cte)),
      optional(','),
    ),

  cte: $ =>
    seq(
      field('name', choice($._name, alias($._soft_keyword, $.identifier))),
      optional(field('columns', $.column_aliases)),
      alias($._as, 'AS'),
      optional(kw('materialized')),
      field('query', $.subquery),
    ),

  column_aliases: $ => parens(trailing($._name)),

  scalar_cte: $ =>
    prec(PREC.item, seq(
      field('value', $._expression),
      optional(seq(alias($._as, 'AS'), field('name', $._alias_name))),
    )),

  // FROM ------------------------------------------------------------------------------------------

  from_clause: $ =>
    prec.right(seq(
      kw('from'),
      $.table_ref,
      repeat(choice(
        $.join,
        $.array_join,
        seq(',', $.table_ref),
        seq(alias($._alternative, $.template_statement), $.table_ref),
      )),
    )),

  table_ref: $ =>
    prec.right(seq(
      choice(
        field('source', choice(
          $.table_name,
          $.values_list,
          $.table_function,
          $.template_output,
          $.joined_tables,
        )),
        seq(field('source', $.subquery), optional($.column_aliases)),
      ),
      repeat($._table_modifier),
      optional(seq($._table_alias, repeat($._table_modifier))),
    )),

  _table_alias: $ =>
    prec.right(seq(
      choice(seq(alias($._as, 'AS'), field('alias', $._alias_name)), field('alias', choice($._name, alias($._local_alias, $.identifier)))),
      optional($.column_aliases),
    )),

  // Where an alias may stand it is one, and no kind of a join.
  _local_alias: $ => prec(1, $._LOCAL),

  _table_modifier: $ => choice($.final, $.sample_clause, $.template_output, kw('stream')),

  // `FROM (VALUES (1, 2), (3, 4))`
  values_list: $ => prec(1, seq('(', kw('values'), commaList1($._value), ')')),

  // `FROM (a JOIN b USING (id))`
  joined_tables: $ => seq('(', $.table_ref, repeat1(choice($.join, seq(',', $.table_ref))), ')'),

  table_name: $ =>
    prec.right(choice(
      // A string is a file or an address.
      field('table', choice($._name, $.templated_name, $.query_parameter, $.string)),
      seq(
        field('database', $._table_part),
        '.',
        field('table', choice($._table_part, $.missing_name)),
      ),
    )),

  _table_part: $ => choice($._name, $.template_output, $.templated_name, $.query_parameter),

  table_function: $ =>
    seq(
      optional(seq(field('database', $._table_part), '.')),
      field('name', $._name),
      field('arguments', alias($._table_arguments, $.argument_list)),
    ),

  _table_arguments: $ =>
    seq(
      '(',
      optional(choice(
        trailing($._value),
        field('query', $._query),
      )),
      optional($.settings_clause),
      ')',
    ),

  final: _ => kw('final'),

  sample_clause: $ =>
    prec.right(seq(
      kw('sample'),
      field('ratio', $.ratio),
      optional(seq(kw('offset'), field('offset', $.ratio))),
    )),

  ratio: $ =>
    prec.right(choice(
      seq($.number, optional(seq('/', $.number))),
      $.template_output,
      $.query_parameter,
    )),

  join: $ =>
    prec.right(seq(
      optional(seq(field('kind', $._join_kind), repeat(field('kind', choice($._join_kind, alias($._OUTER, $.join_kind)))))),
      kw('join'),
      field('right', $.table_ref),
      optional(choice(
        seq(kw('on'), field('condition', $._value)),
        seq(kw('using'), field('using', $.using_list)),
      )),
    )),

  _join_kind: $ => choice(kw('all'), $.join_kind, alias($._LOCAL, $.join_kind)),

  join_kind: _ =>
    anyCase('global|any|asof|semi|anti|inner|left|right|full|cross|paste|natural'),

  using_list: $ =>
    prec.right(choice(
      parens(trailing($._using_column)),
      commaList1($._using_column),
    )),

  _using_column: $ =>
    prec.right(seq(
      choice($._name, $.template_output, alias($._dotted_name, $.column_ref), $.number, '*'),
      optional(seq(alias($._as, 'AS'), field('alias', $._name))),
    )),

  _dotted_name: $ => prec.right(seq($._name, repeat1(seq('.', $._name)))),

  array_join: $ =>
    prec.right(seq(
      optional(field('kind', $.join_kind)),
      kws('array join'),
      sepBy1($._list_separator, alias($._array_join_item, $.select_item)),
    )),

  // An alias needs its AS here.
  _array_join_item: $ =>
    prec(PREC.item, seq(
      field('value', $._expression),
      optional(seq(alias($._as, 'AS'), field('alias', $._alias_name))),
    )),

  // Filters and grouping ----------------------------------------------------------------------------

  prewhere_clause: $ => seq(kw('prewhere'), field('condition', $._value)),
  where_clause: $ => seq(kw('where'), field('condition', $._value)),
  having_clause: $ => seq(kw('having'), field('condition', $._value)),
  qualify_clause: $ => seq(kw('qualify'), field('condition', $._value)),

  group_by_clause: $ =>
    prec.right(seq(
      kws('group by'),
      choice(
        kw('all'),
        seq(choice(kw('rollup'), kw('cube'), kws('grouping sets')), parens(trailing($._value))),
        commaList1($._value),
      ),
    )),

  // Its own node rather than a part of GROUP BY: WITH TOTALS is legal without one.
  group_modifier: _ => seq(kw('with'), choice(kw('rollup'), kw('cube'), kw('totals'))),

  window_clause: $ => prec.right(seq(kw('window'), commaList1($.window_definition))),

  window_definition: $ => seq(field('name', $._name), alias($._as, 'AS'), $.window_specification),

  // Order and limits --------------------------------------------------------------------------------

  order_by_clause: $ =>
    prec.right(seq(
      kws('order by'),
      choice(
        sepBy1($._list_separator, $.order_item),
        prec.right(1, seq(
          kw('all'), repeat(field('direction', $.direction)), optional($._nulls_order),
          // So it was a column of that name.
          repeat(seq(',', $.order_item)),
        )),
      ),
    )),

  order_item: $ =>
    prec.right(PREC.item, seq(
      field('value', $._value),
      // More than one of each when they stand in the branches of a template.
      repeat(choice(
        field('direction', $.direction),
        $._nulls_order,
        seq(kw('collate'), field('collation', $.string)),
        $.with_fill,
      )),
    )),

  direction: $ => $._direction,
  _direction: _ => anyCase('asc(ending)?|desc(ending)?'),

  _nulls_order: $ => seq(kw('nulls'), field('nulls', choice(kw('first'), kw('last')))),

  with_fill: $ =>
    prec.right(seq(
      kws('with fill'),
      repeat(choice(
        seq(kw('from'), field('from', $._value)),
        seq(kw('to'), field('to', $._value)),
        seq(kw('step'), field('step', $._value)),
        seq(kw('staleness'), field('staleness', $._value)),
      )),
    )),

  interpolate_clause: $ =>
    prec.right(seq(kw('interpolate'), optional(parens(optional(trailing($.interpolate_item)))))),

  interpolate_item: $ =>
    seq(field('column', $._name), optional(seq(alias($._as, 'AS'), field('value', $._value)))),

  limit_clause: $ => prec.right(seq(kw('limit'), $._limit_count, optional(kws('with ties')))),

  limit_by_clause: $ =>
    prec.right(seq(kw('limit'), $._limit_count, kw('by'), choice(kw('all'), commaList1($._value)))),

  _limit_count: $ =>
    prec.right(choice(
      field('count', $._value),
      seq(field('offset', $._value), ',', field('count', $._value)),
      seq(field('count', $._value), kw('offset'), field('offset', $._value)),
    )),

  offset_clause: $ =>
    prec.right(choice(
      seq(kw('offset'), field('offset', $._value), optional($._rows), optional($._fetch)),
      $._fetch,
    )),

  _fetch: $ =>
    seq(
      kw('fetch'), choice(kw('first'), kw('next')),
      field('count', $._value),
      $._rows,
      choice(kw('only'), kws('with ties')),
    ),

  // Settings and output -----------------------------------------------------------------------------

  settings_clause: $ => prec.right(seq(kw('settings'), commaList1($.setting))),

  // The value may be missing for a switch: `SETTINGS a`.
  setting: $ =>
    prec.right(seq(
      field('name', choice($._name, $.template_output, alias($._dotted_name, $.column_ref))),
      optional(seq('=', field('value', $._setting_value))),
    )),

  _setting_value: $ =>
    choice(
      $._literal,
      $.negative_number,
      $.template_output,
      $.query_parameter,
      $.map,
      $.array,
      kw('default'),
    ),

  format_clause: $ => seq(kw('format'), field('name', choice($._name, $.template_output))),

  into_outfile_clause: $ =>
    prec.right(seq(
      kws('into outfile'), field('path', $.string),
      repeat(choice(
        kw('append'), kw('truncate'), kws('and stdout'), seq(kw('compression'), $.string),
        seq(kw('level'), $.number),
      )),
    )),
};
