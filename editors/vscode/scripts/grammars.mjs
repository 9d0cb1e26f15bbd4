// TextMate grammars: the colours one sees before the server is up. The server's own tokens replace them.
//
// A block ends at a column-0 directive *of that file kind* (`FROM` at column 0 ends nothing in a pipe), so each kind
// needs its own end pattern; everything else is shared. Generated, because JSON can share nothing.

const COMMON = 'DESCRIPTION TOKEN TAGS INCLUDE VERSION';
const KAFKA = 'BOOTSTRAP_SERVERS SECURITY_PROTOCOL SASL_MECHANISM KEY SECRET SCHEMA_REGISTRY_URL SSL_CA_PEM';
const prefixed = (prefix, names) => names.split(' ').map((name) => `${prefix}_${name}`);

const DATASOURCE = [
  ...'SCHEMA INDEXES INDICES ENGINE SHARED_WITH FORWARD_QUERY BACKFILL PARTITION_KEY SORTING_KEY PRIMARY_KEY SAMPLING_KEY TTL SETTINGS SOURCE'.split(' '),
  'ENGINE_\\w+', 'KAFKA_\\w+', 'IMPORT_\\w+', 'EXPORT_SERVICE', 'PG_\\w+',
];
const PIPE = [
  ...'NODE SCOPE SQL TYPE DATASOURCE DEPLOYMENT_METHOD TARGET_DATASOURCE MODE ON_DEMAND_COMPUTE FILTER CACHE'.split(' '),
  'COPY_\\w+', 'EXPORT_\\w+', 'ENGINE', 'ENGINE_\\w+',
];
const CONNECTION = [
  'TYPE', ...prefixed('KAFKA', KAFKA), 'KAFKA_SASL_\\w+', 'S3_\\w+', 'GCS_\\w+', 'DYNAMODB_\\w+', 'PG_\\w+',
];

const KEYWORDS =
  'select from where prewhere group order by having limit offset with as on using join left right full inner cross outer any all asof semi anti global array final sample union except intersect distinct case when then else end and or not in is null like ilike between exists interval over partition window rows range preceding following unbounded current row asc desc nulls first last settings format totals rollup cube fill step to top values';

const embedded = (name) => ({ include: `source.headwater.sql#${name}` });

const sql = {
  name: 'Headwater SQL',
  scopeName: 'source.headwater.sql',
  patterns: ['template', 'sql'].map((name) => ({ include: `#${name}` })),
  repository: {
    template: {
      patterns: [
        { name: 'comment.block.template.headwater', begin: '\\{#(?!!)', end: '#\\}' },
        {
          name: 'meta.embedded.template.headwater',
          begin: '\\{([%{])-?(?!!)',
          end: '-?[%}]\\}',
          beginCaptures: { 0: { name: 'punctuation.section.embedded.begin.headwater' } },
          endCaptures: { 0: { name: 'punctuation.section.embedded.end.headwater' } },
          patterns: [
            { name: 'keyword.control.headwater', match: '\\b(?:if|elif|else|for|while|try|except|finally|set|break|continue|comment|whitespace|end|in|and|or|not|is)\\b' },
            { name: 'constant.language.headwater', match: '\\b(?:True|False|None)\\b' },
            { name: 'entity.name.function.headwater', match: '\\b[A-Za-z_]\\w*(?=\\s*\\()' },
            { name: 'variable.parameter.headwater', match: '\\b[A-Za-z_]\\w*(?=\\s*=[^=])' },
            { name: 'variable.other.headwater', match: '\\b[A-Za-z_]\\w*\\b' },
            { include: '#literals' },
          ],
        },
      ],
    },
    sql: {
      patterns: [
        // Whole-line `#` is taken out before SQL exists; later in a line it is text.
        { name: 'comment.line.number-sign.headwater', match: '^\\s*#.*$' },
        { name: 'comment.line.double-dash.headwater', match: '--.*$' },
        { name: 'comment.block.headwater', begin: '/\\*', end: '\\*/' },
        { name: 'keyword.other.template-marker.headwater', match: '^\\s*%' },
        { name: 'keyword.other.sql.headwater', match: `(?i)\\b(?:${KEYWORDS.split(' ').join('|')})\\b` },
        { name: 'constant.language.headwater', match: '(?i)\\b(?:true|false|nan|inf)\\b' },
        { include: '#types' },
        { name: 'entity.name.function.headwater', match: '\\b[A-Za-z_]\\w*(?=\\s*\\()' },
        { include: '#literals' },
        { name: 'keyword.operator.headwater', match: '->|::|\\|\\||[<>!=]=?|[-+*/%?:]' },
      ],
    },
    types: {
      patterns: [
        {
          name: 'storage.type.headwater',
          match: '\\b(?:U?Int(?:8|16|32|64|128|256)|Float(?:32|64)|BFloat16|Decimal(?:32|64|128|256)?|Bool|String|FixedString|UUID|Date(?:32|Time|Time64)?|Enum(?:8|16)?|IPv[46]|JSON|Dynamic|Variant|Array|Map|Tuple|Nested|Nullable|LowCardinality|(?:Simple)?AggregateFunction|Point|Ring|Polygon|MultiPolygon)\\b',
        },
      ],
    },
    literals: {
      patterns: [
        { name: 'string.quoted.single.headwater', begin: "'", end: "'", patterns: [{ name: 'constant.character.escape.headwater', match: '\\\\.' }, { include: '#template' }] },
        { name: 'string.quoted.double.headwater', begin: '"', end: '"', patterns: [{ name: 'constant.character.escape.headwater', match: '\\\\.' }] },
        { name: 'variable.other.quoted.headwater', match: '`[^`]*`' },
        { name: 'constant.numeric.headwater', match: '\\b(?:0x[0-9A-Fa-f]+|\\d+(?:\\.\\d+)?(?:[eE][-+]?\\d+)?)\\b' },
      ],
    },
  },
};

/** A file kind whose blocks end at one of `directives`. */
function datafile(kind, title, directives) {
  const all = [...COMMON.split(' '), ...directives].join('|');
  const end = `^(?=(?i:${all})(?:\\s|$))`;
  // What opens a block, which of its names it holds for, and the scope and rules of its body.
  const block = (names, name, patterns) => ({
    name: `meta.block.${kind}.headwater`,
    begin: `^\\s*((?i:${names}))\\s+(>)`,
    end,
    beginCaptures: { 1: { name: 'keyword.control.directive.headwater' }, 2: { name: 'keyword.operator.block.headwater' } },
    contentName: name,
    patterns,
  });
  const comment = { name: 'comment.line.number-sign.headwater', match: '^\\s*#.*$' };
  return {
    name: `Headwater ${title}`,
    scopeName: `source.headwater.${kind}`,
    patterns: [
      comment,
      block('SQL|FORWARD_QUERY', 'meta.embedded.block.sql.headwater', [embedded('template'), embedded('sql')]),
      block('DESCRIPTION', 'string.unquoted.description.headwater', [comment]),
      block('SCHEMA|INDEXES|INDICES', 'meta.schema.headwater', [
        comment,
        { name: 'comment.line.double-dash.headwater', match: '--.*$' },
        { name: 'string.other.jsonpath.headwater', match: '`json:[^`]*`' },
        { name: 'keyword.other.schema.headwater', match: '(?i)\\b(?:DEFAULT|CODEC|TYPE|GRANULARITY|INDEX)\\b' },
        { name: 'variable.other.column.headwater', match: '(?:^|(?<=,))\\s*(?:`[^`]+`|[A-Za-z_]\\w*)' },
        embedded('types'),
        { name: 'entity.name.function.headwater', match: '\\b[A-Za-z_]\\w*(?=\\s*\\()' },
        embedded('literals'),
      ]),
      block('\\w+', 'string.unquoted.block.headwater', [comment, embedded('template')]),
      {
        // A directive and its values on one line.
        begin: `^\\s*((?i:${all}))(?=\\s|$)`,
        end: '$',
        beginCaptures: { 1: { name: 'keyword.control.directive.headwater' } },
        patterns: [
          // A `#` cuts the value even in the middle of a word, unless it is quoted.
          { name: 'comment.line.number-sign.headwater', match: '#.*$' },
          { name: 'constant.language.headwater', match: '(?i)(?<=TYPE)\\s+\\w+|\\b(?:READ|APPEND)\\b\\s*$|@[\\w-]+' },
          embedded('template'),
          embedded('types'),
          embedded('literals'),
          { name: 'entity.name.function.headwater', match: '\\b[A-Za-z_]\\w*(?=\\s*\\()' },
        ],
      },
    ],
  };
}

export const grammars = {
  sql,
  datasource: datafile('datasource', 'data source', DATASOURCE),
  pipe: datafile('pipe', 'pipe', PIPE),
  connection: datafile('connection', 'connection', CONNECTION),
  // A fragment may be spliced into either kind.
  incl: datafile('incl', 'include', [...new Set([...DATASOURCE, ...PIPE])]),
};
