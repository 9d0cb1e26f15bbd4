/**
 * The one description behind the three datafile grammars.
 *
 * `.datasource`, `.pipe` and `.connection` files share their line structure and differ only in
 * which directive names end a block. That set lives in `common/scanner.h`, because a block's end
 * cannot be found without it; everything here is the same for all kinds except that pipes group
 * what follows a NODE line.
 *
 * @file Shared grammar definition for Tinybird-format datafiles.
 * @license Apache-2.0
 */

/// <reference types="tree-sitter-cli/dsl" />

/**
 * @param {string} kind `datasource`, `pipe` or `connection`
 */
module.exports = function defineDatafile(kind) {
  const groupsNodes = kind === 'pipe';

  return grammar({
    name: `headwater_${kind}`,

    // Order is the scanner's `enum Token`.
    externals: $ => [
      // Directive names by what their block holds. All of them surface as `directive_name`.
      $._sql_name,
      $._schema_name,
      $._indexes_name,
      $._node_name,
      $._other_name,
      $._block_start,
      $._line_end,
      $._sql_text,
      $._schema_text,
      $._indexes_text,
      $._plain_text,
      $._no_body,
    ],

    // Line ends are tokens where they matter; the scanner runs before extras are skipped, so it
    // sees them first. Elsewhere (blank lines, end of file) they are blanks like any other.
    extras: $ => [/\s/, $.comment],

    rules: {
      source_file: $ =>
        groupsNodes ? seq(repeat($._item), repeat($.node)) : repeat($._item),

      ...(groupsNodes
        ? {
          node: $ =>
            prec.right(seq(
              field('header', choice(
                alias($._node_directive, $.directive),
                alias($._node_block, $.block_directive),
              )),
              repeat($._item),
            )),
        }
        : {}),

      _item: $ => choice($.directive, $.block_directive),

      directive: $ =>
        seq(
          field('name', $._any_name),
          optional(field('value', $.value)),
          $._line_end,
        ),

      // Outside pipes a NODE line is an ordinary (wrong) directive.
      ...(groupsNodes
        ? {
          _node_directive: $ =>
            seq(
              field('name', alias($._node_name, $.directive_name)),
              optional(field('value', $.value)),
              $._line_end,
            ),

          _node_block: $ => block($, $._node_name, alias($._plain_text, $.text_body)),
        }
        : {}),

      _any_name: $ =>
        choice(
          alias($._sql_name, $.directive_name),
          alias($._schema_name, $.directive_name),
          alias($._indexes_name, $.directive_name),
          alias($._other_name, $.directive_name),
          ...(groupsNodes ? [] : [alias($._node_name, $.directive_name)]),
        ),

      block_directive: $ =>
        choice(
          block($, $._sql_name, alias($._sql_text, $.sql_body)),
          block($, $._schema_name, alias($._schema_text, $.schema_body)),
          block($, $._indexes_name, alias($._indexes_text, $.indexes_body)),
          block($, $._other_name, alias($._plain_text, $.text_body)),
          ...(groupsNodes ? [] : [block($, $._node_name, alias($._plain_text, $.text_body))]),
        ),

      // Text after `>` on the opening line is dropped by the platform; a node of its own lets a
      // theme grey it out and an analyser warn.
      ignored_text: _ => /[^\s#][^\r\n]*/,

      value: $ => repeat1(choice($.string, $.template_output, $.word)),

      // A quote opens a string only at the start of a word; the second form is one never closed.
      string: _ => choice(/"[^"\r\n]*"/, /'[^'\r\n]*'/, /"[^"\r\n]*/, /'[^'\r\n]*/),

      template_output: _ => /\{\{([^}\r\n]|\}[^}\r\n])*\}\}/,

      // `#` ends a word even in its middle; `{{` ends one so that a secret inside it is seen.
      word: _ => token(prec(-1, /([^\s#{'"]|\{)([^\s#{]|\{[^\s#{])*/)),

      comment: _ => /#[^\r\n]*/,
    },
  });
};

/** A directive that opens a block: `NAME >`, then the lines below it. */
function block($, name, body) {
  return seq(
    field('name', alias(name, $.directive_name)),
    alias($._block_start, '>'),
    optional($.ignored_text),
    $._line_end,
    choice(field('body', body), $._no_body),
  );
}
