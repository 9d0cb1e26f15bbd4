// External scanner of the SQL grammar: template tags, comments, heredocs, and words that only what
// follows can tell from names.
//
// It is stateless. Tags are the reason it exists: `{% … %}` may stand anywhere, so the grammar takes
// it as an extra, but between `{% else %}` and what follows it an operator or a comma is missing, and
// after `OR {% end %}` an operand is. Both can only be told by looking beyond the tag.

#include "tree_sitter/parser.h"

#include <string.h>

// The order is that of `externals` in grammar.js.
enum Token {
  TEMPLATE_STATEMENT,
  ALTERNATIVE,
  TEMPLATE_HOLE,
  HEREDOC,
  WORD_AS,
  WORD_IN,
  WORD_OR,
  GLOBAL_IN,
  AT_TIME_ZONE,
  AT_LOCAL,
  ESCAPE,
  INTERVAL,
  INTERVAL_TEXT,
  INTERVAL_RANGE,
  CASE,
  NAME_MARKER,
  ARGUMENT_DISTINCT,
  ARGUMENT_SIDE,
  ARGUMENT_UNIT,
  ARGUMENT_MARKER,
  MISSING_PARENTHESIS,
  MISSING_OPERAND,
  MISSING_NAME,
  FROM_MARKER,
  LIST_END,
  COMMENT,
  TEMPLATE_COMMENT,
  UNCLOSED_COMMENT,
  UNCLOSED_STATEMENT,
  EXPRESSIONS_START,
  INDEXES_START,
  OTHER_STATEMENT,
  INSERT_TARGET,
  ERROR_SENTINEL,
};

// What stands after a tag.
enum Follow {
  FOLLOW_OPERAND,   // starts an operand and cannot continue one
  FOLLOW_CONTINUES, // continues or closes what came before: no operand can start with it
  FOLLOW_UNKNOWN,   // could be either
};

// Words that continue an expression, a list or a query. CALLABLE ones are functions too when an
// opening parenthesis follows.
static const char *const CONTINUING[] = {
    "AND",    "OR",        "IS",       "IN",      "LIKE",     "ILIKE",  "BETWEEN", "GLOBAL",  "DIV",
    "MOD",    "REGEXP",    "AS",       "FROM",    "WHERE",    "PREWHERE", "GROUP", "ORDER",   "HAVING",
    "LIMIT",  "OFFSET",    "SETTINGS", "UNION",   "EXCEPT",   "INTERSECT", "JOIN", "INNER",   "FULL",
    "CROSS",  "ASOF",      "SEMI",     "ANTI",    "PASTE",    "ARRAY",  "FINAL",   "SAMPLE",  "ON",
    "USING",  "WINDOW",    "QUALIFY",  "INTO",    "FETCH",    "ASC",    "DESC",    "NULLS",   "COLLATE",
    "STEP",   "TO",        "THEN",     "ELSE",    "END",      "WHEN",   "OVER",    "FILTER",  "IGNORE",
    "RESPECT", "ROWS",     "RANGE",    "PARTITION", "BY",     "OUTER",  "INTERPOLATE",
};
static const char *const CONTINUING_CALLABLE[] = {"LEFT", "RIGHT", "ANY", "ALL", "FORMAT"};
static const char *const QUERY_STARTS[] = {"SELECT", "WITH", "EXPLAIN", "DISTINCT"};

// The fields of INTERVAL and EXTRACT that a quantity can have.
static const char *const UNITS[] = {
    "NANOSECOND", "MICROSECOND", "MILLISECOND", "SECOND", "MINUTE", "HOUR",
    "DAY",        "WEEK",        "MONTH",       "QUARTER", "YEAR",   "NS",   "MS",
    "US",         "S",           "MI",          "N",       "HH",     "H",    "DD",
    "D",          "WK",          "WW",          "MM",      "M",      "QQ",   "Q",
    "YYYY",       "YY",
};

// What else EXTRACT takes.
static const char *const EXTRACT_FIELDS[] = {
    "EPOCH",   "DOW",     "DOY",        "ISODOW",        "ISOYEAR",
    "CENTURY", "DECADE",  "MILLENNIUM", "TIMEZONE_HOUR", "TIMEZONE_MINUTE",
};

// Words that begin a statement which is no query. CHECK and the like are names as well: another word must follow.
static const char *const OTHER_STATEMENTS[] = {
    "ALTER",    "ATTACH",   "BACKUP", "BEGIN",    "CHECK",  "COMMIT",   "CREATE",   "DELETE", "DETACH",
    "DROP",     "EXCHANGE", "EXECUTE", "EXISTS",  "GRANT",  "INSERT",   "KILL",     "MOVE",   "OPTIMIZE",
    "RENAME",   "REPLACE",  "RESTORE", "REVOKE",  "ROLLBACK", "SET",    "SHOW",     "SYSTEM", "TRUNCATE",
    "UNDROP",   "UPDATE",   "USE",    "WATCH",
};

// What the names of data types begin with: `set String` is a column.
static const char *const TYPE_STARTS[] = {
    "AGGREGATEFUNCTION", "ARRAY", "BOOL",  "DATE",   "DECIMAL", "DYNAMIC",  "ENUM", "FIXEDSTRING", "FLOAT",
    "INT",               "IPV",   "JSON",  "LOWCARDINALITY", "MAP", "NESTED", "NULLABLE", "OBJECT", "POINT",
    "STRING",            "TUPLE", "UINT",  "UUID",   "VARIANT",
};

// Words that begin a query in parentheses.
static const char *const QUERY_WORDS[] = {"FROM", "SELECT", "WITH", "EXPLAIN"};

// Words that begin something else where a name may stand.
static const char *const KEYWORD_NAMES[] = {"FROM", "SELECT", "WITH", "EXPLAIN", "ORDER", "PARTITION"};

// Words that begin a clause, none of which follows an argument.
static const char *const CLAUSES[] = {
    "SELECT", "WHERE", "PREWHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "JOIN", "UNION", "SETTINGS",
};

// Operators between two operands.
static const char *const INFIX[] = {
    "AND", "OR", "IN", "LIKE", "ILIKE", "REGEXP", "DIV", "MOD", "IS", "NOT", "BETWEEN", "GLOBAL",
};

// The second letters, by the first from A on, of the words that `scan_word` tells from names. Most names are none of them
// by their second letter, and every further one would be read twice.
static const char *const SECOND_LETTERS[] = {
    "LNST", "O", "AE", "AEIO", "LPSX", "OR", "LR", "AO", "NS", "", "", "EI", "IO",
    "A",    "FR", "ALR", "U",   "",     "EQ", "HIR", "N", "",  "EHI", "", "EY", "",
};

#define WORD_MAX_LENGTH 20
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

// Looking ahead costs a step per character for every token that asks for it, so that text made for the
// purpose could make it quadratic. Nothing real comes near these.
#define LOOK_MAX_STEPS 4096
#define LOOK_MAX_TOKENS 64
#define LOOK_MAX_ARGUMENT 256

static bool is_space(int32_t c) {
  if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r');
  return c == 0x85 || c == 0xA0 || c == 0xFEFF || c == 0x3000 || c == 0x180E || (c >= 0x2000 && c <= 0x200D) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x2060;
}

static bool is_digit(int32_t c) { return c >= '0' && c <= '9'; }

static bool is_word_char(int32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$';
}

static bool contains(const char *const *words, unsigned count, const char *word) {
  for (unsigned i = 0; i < count; i++) {
    if (strcmp(words[i], word) == 0) return true;
  }
  return false;
}

static void advance(TSLexer *lexer) { lexer->advance(lexer, false); }

static void skip_spaces(TSLexer *lexer) {
  while (is_space(lexer->lookahead)) advance(lexer);
}

// Not by `strchr`, which what loads grammars as WebAssembly does not offer to scanners. (Where the text is a constant,
// compilers make a mask of it.)
static bool begins_word(int32_t first, int32_t second) {
  for (const char *letter = SECOND_LETTERS[first - 'A']; *letter != '\0'; letter++) {
    if (*letter == second) return true;
  }
  return false;
}

static int32_t upper(int32_t c) { return c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c; }

// Reads the rest of a word in upper case, `length` characters of which are there.
static void read_rest(TSLexer *lexer, char word[WORD_MAX_LENGTH], unsigned length) {
  while (is_word_char(lexer->lookahead)) {
    if (length < WORD_MAX_LENGTH) word[length++] = (char)upper(lexer->lookahead);
    advance(lexer);
  }
  word[length < WORD_MAX_LENGTH ? length : 0] = '\0';
}

// Reads a word in upper case; one too long to be in any list comes out empty.
static void read_word(TSLexer *lexer, char word[WORD_MAX_LENGTH]) { read_rest(lexer, word, 0); }

static bool next_word_is(TSLexer *lexer, const char *expected) {
  char word[WORD_MAX_LENGTH];
  skip_spaces(lexer);
  read_word(lexer, word);
  return strcmp(word, expected) == 0;
}

static bool is_unit(const char *word) {
  char unit[WORD_MAX_LENGTH];
  if (strncmp(word, "SQL_TSI_", 8) == 0) word += 8;
  size_t length = strlen(word);
  if (length > 2 && word[length - 1] == 'S') length--;
  memcpy(unit, word, length);
  unit[length] = '\0';
  return contains(UNITS, COUNT(UNITS), unit);
}

// Consumes up to and including `close` `}`. A second opening delimiter before that means that this
// tag is still being typed: giving up keeps the damage local. Then the token is what was marked: the
// rest of the line.
static bool scan_to_tag_end(TSLexer *lexer, int32_t close, bool mark) {
  int32_t previous = 0;
  while (!lexer->eof(lexer)) {
    int32_t c = lexer->lookahead;
    if (mark && (c == '\n' || c == '\r')) {
      lexer->mark_end(lexer);
      mark = false;
    }
    advance(lexer);
    if (previous == close && c == '}') return true;
    if (close == '%' && previous == '{' && (c == '%' || c == '{')) break;
    previous = c;
  }
  if (mark) lexer->mark_end(lexer);
  return false;
}

static void skip_line(TSLexer *lexer) {
  while (!lexer->eof(lexer) && lexer->lookahead != '\n' && lexer->lookahead != '\r') {
    advance(lexer);
  }
}

// Behind the opening `/*`. Block comments nest.
static bool skip_block_comment(TSLexer *lexer) {
  for (unsigned depth = 1; !lexer->eof(lexer);) {
    int32_t c = lexer->lookahead;
    advance(lexer);
    if (c == '*' && lexer->lookahead == '/') {
      advance(lexer);
      if (--depth == 0) return true;
    } else if (c == '/' && lexer->lookahead == '*') {
      advance(lexer);
      depth++;
    }
  }
  return false;
}

// Looks past white space, comments and further tags at what comes next.
static enum Follow classify_following(TSLexer *lexer) {
  for (unsigned tokens = 0; tokens < LOOK_MAX_TOKENS; tokens++) {
    skip_spaces(lexer);
    if (lexer->eof(lexer)) return FOLLOW_CONTINUES;
    int32_t c = lexer->lookahead;
    switch (c) {
      case '#':
        skip_line(lexer);
        continue;
      case '-':
        advance(lexer);
        if (lexer->lookahead != '-') return FOLLOW_UNKNOWN;
        skip_line(lexer);
        continue;
      case '/':
        advance(lexer);
        if (lexer->lookahead != '*') return FOLLOW_CONTINUES;
        advance(lexer);
        if (!skip_block_comment(lexer)) return FOLLOW_CONTINUES;
        continue;
      case '{':
        advance(lexer);
        if (lexer->lookahead != '%' && lexer->lookahead != '#') return FOLLOW_OPERAND;
        c = lexer->lookahead;
        advance(lexer);
        if (!scan_to_tag_end(lexer, c, false)) return FOLLOW_UNKNOWN;
        continue;
      case ')': case ']': case '}': case ',': case ';': case '=': case '<': case '>': case '!':
      case '|': case '+': case '?': case ':': case '.':
        return FOLLOW_CONTINUES;
      case '\'': case '"': case '`': case '(': case '$':
        return FOLLOW_OPERAND;
      default:
        break;
    }
    if (!is_word_char(c)) return FOLLOW_UNKNOWN;

    char word[WORD_MAX_LENGTH];
    read_word(lexer, word);
    if (contains(QUERY_STARTS, COUNT(QUERY_STARTS), word)) return FOLLOW_UNKNOWN;
    if (contains(CONTINUING, COUNT(CONTINUING), word)) return FOLLOW_CONTINUES;
    if (contains(CONTINUING_CALLABLE, COUNT(CONTINUING_CALLABLE), word)) {
      skip_spaces(lexer);
      return lexer->lookahead == '(' ? FOLLOW_OPERAND : FOLLOW_CONTINUES;
    }
    if (strcmp(word, "NOT") == 0) {
      skip_spaces(lexer);
      read_word(lexer, word);
      bool infix = strcmp(word, "IN") == 0 || strcmp(word, "LIKE") == 0 ||
                   strcmp(word, "ILIKE") == 0 || strcmp(word, "BETWEEN") == 0 ||
                   strcmp(word, "REGEXP") == 0;
      return infix ? FOLLOW_CONTINUES : FOLLOW_OPERAND;
    }
    return FOLLOW_OPERAND;
  }
  return FOLLOW_UNKNOWN;
}

// Behind `{%`.
static bool scan_statement_tag(TSLexer *lexer, const bool *valid) {
  if (!scan_to_tag_end(lexer, '%', true)) {
    lexer->result_symbol = UNCLOSED_STATEMENT;
    return true;
  }
  lexer->mark_end(lexer);
  lexer->result_symbol = TEMPLATE_STATEMENT;
  // Looked at even where it makes no difference. After an edit the runtime may use this token again in a place where it
  // does, inside of a node that was built here, and how far this looks is what tells whether the edit touches it.
  enum Follow follow = classify_following(lexer);
  // In error recovery everything is valid, which says nothing about the place.
  if (valid[ERROR_SENTINEL]) return true;
  if (valid[ALTERNATIVE] && follow == FOLLOW_OPERAND) {
    lexer->result_symbol = ALTERNATIVE;
  } else if (valid[TEMPLATE_HOLE] && follow == FOLLOW_CONTINUES) {
    lexer->result_symbol = TEMPLATE_HOLE;
  }
  return true;
}

// Never closed, a comment reaches to the end of the text. Anything shorter would have the next opening
// delimiter search the same text again.
static bool end_comment(TSLexer *lexer, bool closed, enum Token token) {
  lexer->mark_end(lexer);
  lexer->result_symbol = closed ? token : UNCLOSED_COMMENT;
  return true;
}

static bool scan_comment(TSLexer *lexer, const bool *valid, bool line_start) {
  int32_t first = lexer->lookahead;
  if (!valid[COMMENT]) return false;
  if (first == '#') {
    // ClickHouse wants a blank or `!`; the datafile layer drops any line that starts with `#`.
    advance(lexer);
    if (!line_start && lexer->lookahead != ' ' && lexer->lookahead != '!') return false;
    skip_line(lexer);
    return end_comment(lexer, true, COMMENT);
  }
  advance(lexer);
  if (first == '/' && lexer->lookahead == '*') {
    advance(lexer);
    return end_comment(lexer, skip_block_comment(lexer), COMMENT);
  }
  if (lexer->lookahead != first) return false;
  skip_line(lexer);
  return end_comment(lexer, true, COMMENT);
}

// `$tag$ … $tag$`, the tag possibly empty. Where a heredoc may stand, one never closed is an unclosed
// string that reaches to the end of the text.
static bool scan_heredoc(TSLexer *lexer) {
  char tag[WORD_MAX_LENGTH * 2];
  unsigned length = 0;
  advance(lexer);
  while (is_word_char(lexer->lookahead) && lexer->lookahead != '$') {
    if (length == sizeof(tag)) return false;
    tag[length++] = (char)lexer->lookahead;
    advance(lexer);
  }
  if (lexer->lookahead != '$') return false;
  advance(lexer);
  while (!lexer->eof(lexer)) {
    if (lexer->lookahead != '$') {
      advance(lexer);
      continue;
    }
    advance(lexer);
    unsigned matched = 0;
    while (matched < length && lexer->lookahead == tag[matched]) {
      advance(lexer);
      matched++;
    }
    // A `$` that does not end the tag may start the next try, so it is not consumed here.
    if (matched == length && lexer->lookahead == '$') {
      advance(lexer);
      lexer->mark_end(lexer);
      lexer->result_symbol = HEREDOC;
      return true;
    }
  }
  lexer->mark_end(lexer);
  lexer->result_symbol = UNCLOSED_COMMENT;
  return true;
}

// Steps over a quoted text or a template output, whose first character is the current one.
static unsigned skip_quoted(TSLexer *lexer, int32_t close) {
  unsigned steps = 0;
  advance(lexer);
  while (!lexer->eof(lexer) && lexer->lookahead != close && steps++ < LOOK_MAX_STEPS) {
    if (lexer->lookahead == '\\') advance(lexer);
    advance(lexer);
  }
  advance(lexer);
  return steps;
}

// INTERVAL is a name as well. What tells is a unit behind the first operand, or a string.
static bool scan_interval(TSLexer *lexer) {
  bool operand = false, text = false, number = false, member = false;
  unsigned depth = 0, cases = 0, tokens = 0;
  for (unsigned steps = 0; steps < LOOK_MAX_STEPS; steps++, tokens++) {
    skip_spaces(lexer);
    if (lexer->eof(lexer)) break;
    int32_t c = lexer->lookahead;
    if (c == '\'' || c == '"' || c == '`') {
      if (operand && depth == 0) break; // Not an alias: those have an AS.
      if (tokens == 0) text = c == '\'';
      steps += skip_quoted(lexer, c);
      operand = true;
    } else if (c == '{') {
      advance(lexer);
      bool tag = lexer->lookahead == '%' || lexer->lookahead == '#';
      steps += skip_quoted(lexer, '}');
      if (lexer->lookahead == '}') advance(lexer);
      operand = operand || !tag;
    } else if (c == '(' || c == '[') {
      advance(lexer);
      depth++;
    } else if (c == ')' || c == ']') {
      if (depth == 0) break;
      advance(lexer);
      depth--;
      operand = true;
    } else if (c == ',' || c == ';') {
      if (depth == 0) break;
      advance(lexer);
    } else if (is_word_char(c)) {
      char word[WORD_MAX_LENGTH];
      read_word(lexer, word);
      if (depth > 0) continue;
      if (cases > 0 || (!operand && strcmp(word, "CASE") == 0)) {
        if (strcmp(word, "CASE") == 0) cases++;
        if (strcmp(word, "END") == 0) cases--;
        operand = cases == 0;
        continue;
      }
      if (operand && strcmp(word, "AS") == 0) {
        skip_spaces(lexer);
        if (lexer->lookahead == '`' || lexer->lookahead == '"') {
          steps += skip_quoted(lexer, lexer->lookahead);
        } else {
          read_word(lexer, word);
        }
        continue;
      }
      if (is_digit(c)) {
        if (tokens == 0) number = true;
        operand = true;
      } else if (member) {
        operand = true;
      } else if (operand) {
        if (is_unit(word)) {
          lexer->result_symbol = INTERVAL;
          if (text && tokens == 1 && next_word_is(lexer, "TO")) {
            skip_spaces(lexer);
            read_word(lexer, word);
            if (is_unit(word)) lexer->result_symbol = INTERVAL_RANGE;
          }
          return true;
        }
        if (!contains(INFIX, COUNT(INFIX), word)) break;
        operand = false;
      } else {
        bool infix = contains(INFIX, COUNT(INFIX), word) || strcmp(word, "AS") == 0 || strcmp(word, "FROM") == 0;
        if ((infix && strcmp(word, "NOT") != 0) || strcmp(word, "INTERVAL") == 0) break;
        operand = !infix;
      }
    } else {
      advance(lexer);
      if (c == '-' && lexer->lookahead == '-') skip_line(lexer);
      if (depth == 0 && c != '-') operand = false;
      if (depth == 0 && c == '-' && lexer->lookahead != '-') operand = false;
      member = c == '.';
      continue;
    }
    member = false;
  }
  lexer->result_symbol = text ? INTERVAL_TEXT : INTERVAL;
  // A number alone is an interval being typed.
  return text || number;
}

// Whether an operand follows, rather than what continues or ends one.
static bool starts_operand(TSLexer *lexer, bool sign) {
  skip_spaces(lexer);
  int32_t c = lexer->lookahead;
  if (is_word_char(c)) {
    char word[WORD_MAX_LENGTH];
    read_word(lexer, word);
    if (strcmp(word, "WHEN") == 0 || !contains(CONTINUING, COUNT(CONTINUING), word)) return true;
    // `count(DISTINCT partition)`
    skip_spaces(lexer);
    return lexer->lookahead == ')' || lexer->lookahead == ',';
  }
  if (c == '-' || c == '+' || c == '*') return sign;
  if (c == '/') {
    advance(lexer);
    return lexer->lookahead == '*';
  }
  return c == '\'' || c == '"' || c == '`' || c == '(' || c == '[' || c == '{' || c == '@';
}

// Steps over a parenthesis and what is in it.
static void skip_parenthesis(TSLexer *lexer) {
  unsigned depth = 0, steps = 0;
  do {
    int32_t c = lexer->lookahead;
    if (c == '\'' || c == '"' || c == '`') {
      steps += skip_quoted(lexer, c);
      continue;
    }
    if (c == '(') depth++;
    if (c == ')') depth--;
    advance(lexer);
  } while (depth > 0 && !lexer->eof(lexer) && steps++ < LOOK_MAX_STEPS);
}

// CASE is a name as well, unless an operand follows. So is `case(x)`, unless more than an alias follows.
static bool starts_case(TSLexer *lexer) {
  skip_spaces(lexer);
  if (lexer->lookahead != '(') return starts_operand(lexer, true);
  skip_parenthesis(lexer);
  skip_spaces(lexer);
  int32_t c = lexer->lookahead;
  if (lexer->eof(lexer) || c == ',' || c == ')' || c == ';') return false;
  return !next_word_is(lexer, "FROM");
}

// What stands behind one of the words that a name or something else may begin with.
enum After {
  AFTER_NAME,    // what may only follow a name
  AFTER_OPERAND, // the beginning of an operand or table
  AFTER_BY,
  AFTER_OTHER,
};

static enum After classify_after_word(TSLexer *lexer, bool callable, bool query) {
  char next[WORD_MAX_LENGTH];
  skip_spaces(lexer);
  if (lexer->eof(lexer)) return AFTER_OTHER;
  int32_t c = lexer->lookahead;
  if (is_word_char(c)) {
    read_word(lexer, next);
    if (strcmp(next, "BY") == 0) return AFTER_BY;
    bool infix = contains(INFIX, COUNT(INFIX), next) || strcmp(next, "AS") == 0 || strcmp(next, "FROM") == 0;
    if (infix) return AFTER_NAME;
    return contains(CONTINUING, COUNT(CONTINUING), next) ? AFTER_OTHER : AFTER_OPERAND;
  }
  // `SELECT *`, `SELECT -1`
  if (query && (c == '*' || c == '-' || c == '+' || c == '.')) return AFTER_OPERAND;
  if (c == '-' || c == '/') {
    // A comment says nothing.
    advance(lexer);
    return lexer->lookahead == c || lexer->lookahead == '*' ? AFTER_OTHER : AFTER_NAME;
  }
  if (c == '(' && callable) {
    do {
      advance(lexer);
      skip_spaces(lexer);
    } while (lexer->lookahead == '(');
    read_word(lexer, next);
    return contains(QUERY_WORDS, COUNT(QUERY_WORDS), next) ? AFTER_OPERAND : AFTER_NAME;
  }
  if (c == '\'' || c == '"' || c == '`' || c == '{' || c == '(') return AFTER_OPERAND;
  return c < 128 && strchr(",)].=<>!+*%|?:", (char)c) != NULL ? AFTER_NAME : AFTER_OTHER;
}

// Words that begin an operand, or stand before the first argument.
static bool scan_operand_word(TSLexer *lexer, const char *word, const bool *valid) {
  if (valid[ARGUMENT_DISTINCT]) {
    bool side = strcmp(word, "BOTH") == 0 || strcmp(word, "LEADING") == 0 || strcmp(word, "TRAILING") == 0;
    if (side || strcmp(word, "DISTINCT") == 0 || strcmp(word, "ALL") == 0) {
      lexer->mark_end(lexer);
      lexer->result_symbol = side ? ARGUMENT_SIDE : ARGUMENT_DISTINCT;
      return starts_operand(lexer, !side);
    }
    // `SUBSTRING(s FROM 1)`: a short word is more often a column than a unit.
    if ((word[0] && word[1] && word[2] && is_unit(word)) || contains(EXTRACT_FIELDS, COUNT(EXTRACT_FIELDS), word)) {
      lexer->mark_end(lexer);
      lexer->result_symbol = ARGUMENT_UNIT;
      return next_word_is(lexer, "FROM");
    }
  }
  if (strcmp(word, "CASE") == 0) {
    lexer->mark_end(lexer);
    lexer->result_symbol = CASE;
    return starts_case(lexer);
  }
  if (strcmp(word, "INTERVAL") == 0) {
    lexer->mark_end(lexer);
    return scan_interval(lexer);
  }
  return false;
}

// Whether an argument follows, up to a closing parenthesis, rather than a FROM clause.
static bool reaches_parenthesis(TSLexer *lexer) {
  unsigned depth = 0;
  for (unsigned steps = 0; steps < LOOK_MAX_ARGUMENT && !lexer->eof(lexer); steps++) {
    int32_t c = lexer->lookahead;
    if (c == '\'' || c == '"' || c == '`') {
      steps += skip_quoted(lexer, c);
    } else if (is_word_char(c)) {
      char word[WORD_MAX_LENGTH];
      read_word(lexer, word);
      if (depth == 0 && contains(CLAUSES, COUNT(CLAUSES), word)) return false;
    } else {
      if (c == ')' && depth == 0) return true;
      if (c == '(') depth++;
      if (c == ')') depth--;
      advance(lexer);
    }
  }
  return false;
}

// The operator words are here because each is the beginning of other keywords (IN of INTERSECT, AS of
// ASC). The generator keeps states apart over that, and as external tokens they do not count. AT and
// ESCAPE are also names there.
static bool scan_operator_word(TSLexer *lexer, const char *word, const bool *valid) {
  if (valid[ARGUMENT_MARKER] && !valid[ERROR_SENTINEL] &&
      (strcmp(word, "FROM") == 0 || strcmp(word, "FOR") == 0 || strcmp(word, "PLACING") == 0)) {
    bool argument = reaches_parenthesis(lexer);
    lexer->result_symbol = argument ? ARGUMENT_MARKER : MISSING_PARENTHESIS;
    return argument || (word[1] == 'R' && valid[MISSING_PARENTHESIS]);
  }
  enum Token token;
  if (strcmp(word, "AS") == 0) {
    token = WORD_AS;
  } else if (strcmp(word, "IN") == 0) {
    token = WORD_IN;
  } else if (strcmp(word, "OR") == 0) {
    token = WORD_OR;
  } else if (strcmp(word, "GLOBAL") == 0) {
    token = GLOBAL_IN;
  } else if (strcmp(word, "AT") == 0) {
    token = AT_LOCAL;
  } else if (strcmp(word, "ESCAPE") == 0) {
    token = ESCAPE;
  } else {
    return false;
  }
  // GLOBAL IN is no join even where it may not stand: a parse that goes on from an earlier one has to
  // notice that the expression before was ended too soon.
  if (!valid[token] && token != GLOBAL_IN) return false;
  lexer->mark_end(lexer);
  lexer->result_symbol = token;

  char next[WORD_MAX_LENGTH];
  switch (token) {
    case GLOBAL_IN: // It also begins a join.
      skip_spaces(lexer);
      read_word(lexer, next);
      return strcmp(next, "IN") == 0 || (strcmp(next, "NOT") == 0 && next_word_is(lexer, "IN"));
    case AT_LOCAL:
      skip_spaces(lexer);
      read_word(lexer, next);
      if (strcmp(next, "TIME") == 0 && next_word_is(lexer, "ZONE")) {
        lexer->result_symbol = AT_TIME_ZONE;
      } else if (strcmp(next, "LOCAL") != 0) {
        return false;
      }
      lexer->mark_end(lexer);
      return true;
    case ESCAPE:
      skip_spaces(lexer);
      return lexer->lookahead == '\'';
    default:
      return true;
  }
}

// Whether `word`, read where an operand is due, begins the next clause instead. Most words of clauses
// are legal column names, so what follows has to confirm it.
static bool starts_clause(TSLexer *lexer, const char *word, const bool *valid) {
  char next[WORD_MAX_LENGTH];
  if (strcmp(word, "AND") == 0 || strcmp(word, "OR") == 0 || strcmp(word, "THEN") == 0 ||
      strcmp(word, "ELSE") == 0) {
    // `and(a, b)` is a function.
    skip_spaces(lexer);
    if (!is_word_char(lexer->lookahead)) return lexer->lookahead == '\'' || lexer->lookahead == '{';
    read_word(lexer, next);
    return !contains(CONTINUING, COUNT(CONTINUING), next);
  }
  if (strcmp(word, "GROUP") == 0 || strcmp(word, "ORDER") == 0 || strcmp(word, "PARTITION") == 0) {
    return next_word_is(lexer, "BY");
  }
  if (strcmp(word, "LIMIT") == 0 || strcmp(word, "OFFSET") == 0) {
    skip_spaces(lexer);
    return is_digit(lexer->lookahead) || lexer->lookahead == '{';
  }
  if (strcmp(word, "UNION") == 0) {
    skip_spaces(lexer);
    read_word(lexer, next);
    return strcmp(next, "ALL") == 0 || strcmp(next, "DISTINCT") == 0 || strcmp(next, "SELECT") == 0;
  }
  bool from = strcmp(word, "FROM") == 0 && !valid[FROM_MARKER];
  if (from || strcmp(word, "WHERE") == 0 || strcmp(word, "PREWHERE") == 0 ||
      strcmp(word, "HAVING") == 0 || strcmp(word, "QUALIFY") == 0) {
    skip_spaces(lexer);
    int32_t c = lexer->lookahead;
    // `WHERE (x)` would be a call.
    if (c == '\'' || c == '`' || c == '"' || c == '{') return true;
    if (!is_word_char(c)) return false;
    read_word(lexer, next);
    return !contains(CONTINUING, COUNT(CONTINUING), next);
  }
  return false;
}

// Whether `name expr TYPE …` follows, behind the name.
static bool reaches_type(TSLexer *lexer) {
  unsigned depth = 0;
  for (unsigned steps = 0; steps < LOOK_MAX_ARGUMENT && !lexer->eof(lexer); steps++) {
    int32_t c = lexer->lookahead;
    if (c == '\'' || c == '"' || c == '`') {
      steps += skip_quoted(lexer, c);
    } else if (is_word_char(c)) {
      char word[WORD_MAX_LENGTH];
      read_word(lexer, word);
      if (depth == 0 && steps > 1 && strcmp(word, "TYPE") == 0) return true;
    } else {
      if (depth == 0 && (c == ',' || c == ')' || c == ';')) return false;
      if (c == '(') depth++;
      if (c == ')') depth--;
      advance(lexer);
    }
  }
  return false;
}

static bool is_type_start(const char *word) {
  if (word[0] == '\0') return true;
  for (unsigned i = 0; i < COUNT(TYPE_STARTS); i++) {
    if (strncmp(word, TYPE_STARTS[i], strlen(TYPE_STARTS[i])) == 0) return true;
  }
  return false;
}

// What was scanned of a statement that is no query.
enum Reach {
  REACH_END,   // all of it
  REACH_QUERY, // up to a query, which is not part of it
};

// Steps over the rest of a statement: up to a `;` or the parenthesis that the statement stands in, or, where one may
// stand, to the beginning of a query. The token ends behind the last that is not blank.
static enum Reach skip_statement(TSLexer *lexer, bool query) {
  unsigned depth = 0;
  while (!lexer->eof(lexer)) {
    int32_t c = lexer->lookahead;
    if (is_space(c)) {
      advance(lexer);
      continue;
    }
    if (c == ';' || (c == ')' && depth == 0)) return REACH_END;
    if (c == '\'' || c == '"' || c == '`') {
      advance(lexer);
      while (!lexer->eof(lexer) && lexer->lookahead != c) {
        if (lexer->lookahead == '\\') advance(lexer);
        advance(lexer);
      }
      advance(lexer);
    } else if (is_word_char(c)) {
      char word[WORD_MAX_LENGTH];
      read_word(lexer, word);
      if (query && depth == 0) {
        if (strcmp(word, "SELECT") == 0 || strcmp(word, "WITH") == 0) return REACH_QUERY;
        if (strcmp(word, "VALUES") == 0 || strcmp(word, "FORMAT") == 0) query = false;
        if (strcmp(word, "FROM") == 0) {
          if (!next_word_is(lexer, "INFILE")) return REACH_QUERY;
          query = false;
        }
      }
    } else if (c == '(') {
      advance(lexer);
      if (query && depth == 0) {
        char word[WORD_MAX_LENGTH];
        skip_spaces(lexer);
        while (lexer->lookahead == '(') {
          advance(lexer);
          depth++;
        }
        read_word(lexer, word);
        if (strcmp(word, "SELECT") == 0 || strcmp(word, "WITH") == 0) return REACH_QUERY;
      }
      depth++;
    } else if (c == '-' || c == '/') {
      advance(lexer);
      if (c == '-' && lexer->lookahead == '-') {
        skip_line(lexer);
        continue;
      }
      if (c == '/' && lexer->lookahead == '*') {
        advance(lexer);
        skip_block_comment(lexer);
        continue;
      }
    } else {
      if (c == ')') depth--;
      advance(lexer);
    }
    lexer->mark_end(lexer);
  }
  return REACH_END;
}

// Whether a statement that is no query begins with `word`, which was read; the token is all of it.
static bool scan_other_statement(TSLexer *lexer, const char *word) {
  char next[WORD_MAX_LENGTH];
  if (!contains(OTHER_STATEMENTS, COUNT(OTHER_STATEMENTS), word)) return false;
  skip_spaces(lexer);
  int32_t c = lexer->lookahead;
  if (c != '`' && c != '"') {
    if (!is_word_char(c) || is_digit(c)) return false;
    read_word(lexer, next);
    if (is_type_start(next) || contains(CONTINUING, COUNT(CONTINUING), next)) {
      bool other = strcmp(next, "INTO") == 0 || strcmp(next, "FROM") == 0 || strcmp(next, "OR") == 0;
      if (!other) return false;
    }
  }
  lexer->mark_end(lexer);
  lexer->result_symbol = OTHER_STATEMENT;
  return skip_statement(lexer, strcmp(word, "INSERT") == 0) == REACH_END;
}

// What the text is, of which nothing was read yet: a list of expressions or of indexes, or (false)
// statements or column definitions.
static bool scan_start(TSLexer *lexer) {
  char word[WORD_MAX_LENGTH];
  bool parenthesis = lexer->lookahead == '(';
  while (lexer->lookahead == '(') {
    advance(lexer);
    skip_spaces(lexer);
  }
  if (is_digit(lexer->lookahead) || lexer->lookahead == '\'') return true;
  for (unsigned names = 0; names < LOOK_MAX_TOKENS; names++) {
    int32_t c = lexer->lookahead;
    if (c == '`' || c == '"') {
      skip_quoted(lexer, c);
    } else if (is_word_char(c)) {
      read_word(lexer, word);
      if (contains(QUERY_WORDS, COUNT(QUERY_WORDS), word) || strncmp(word, "DESC", 4) == 0) return false;
      if (names == 0 && !parenthesis && contains(OTHER_STATEMENTS, COUNT(OTHER_STATEMENTS), word)) {
        skip_spaces(lexer);
        c = lexer->lookahead;
        if (is_word_char(c) || c == '`' || c == '"') return scan_other_statement(lexer, word);
      }
    } else {
      return parenthesis && c == ')';
    }
    if (parenthesis) return true;
    skip_spaces(lexer);
    if (is_word_char(lexer->lookahead)) {
      read_word(lexer, word);
      if (strcmp(word, "DESC") == 0 || strcmp(word, "ASC") == 0) return true;
      lexer->result_symbol = INDEXES_START;
      return names == 0 && reaches_type(lexer);
    }
    c = lexer->lookahead;
    if (c == '(') {
      // `name (a, b) TYPE minmax`, or `f(a, b)`
      if (names == 0 && reaches_type(lexer)) lexer->result_symbol = INDEXES_START;
      return true;
    }
    if (c != ',') return c > ' ' && c < 128 && strchr("+-*/%=<>!|.[:", (char)c) != NULL;
    advance(lexer);
    skip_spaces(lexer);
  }
  return false;
}

// Whether a word is a name although it begins something else, or is that and an operand is missing before it.
static bool scan_keyword_name(TSLexer *lexer, const char *word, const bool *valid) {
  bool from = strcmp(word, "FROM") == 0 && !valid[FROM_MARKER];
  bool query = strcmp(word, "SELECT") == 0 || strcmp(word, "WITH") == 0;
  enum After after = classify_after_word(lexer, from, query);
  lexer->result_symbol = after == AFTER_NAME ? NAME_MARKER : MISSING_OPERAND;
  return after == AFTER_NAME || (valid[MISSING_OPERAND] && (after == AFTER_BY || (after == AFTER_OPERAND && from)));
}

static bool scan_word(TSLexer *lexer, const bool *valid) {
  bool operand_due = valid[MISSING_OPERAND] || valid[NAME_MARKER];
  bool global = lexer->lookahead == 'G' || lexer->lookahead == 'g';
  if (!operand_due && !valid[WORD_AS] && !valid[WORD_IN] && !valid[WORD_OR] && !valid[ARGUMENT_MARKER] && !global) {
    return false;
  }

  // Nothing is consumed unless one of the words says so.
  lexer->mark_end(lexer);
  char word[WORD_MAX_LENGTH];
  int32_t first = upper(lexer->lookahead);
  if (first < 'A' || first > 'Z') return false;
  word[0] = (char)first;
  advance(lexer);
  int32_t second = upper(lexer->lookahead);
  if (!begins_word(first, second)) return false;
  read_rest(lexer, word, 1);
  if (valid[NAME_MARKER] && !valid[ERROR_SENTINEL] && contains(KEYWORD_NAMES, COUNT(KEYWORD_NAMES), word)) {
    return scan_keyword_name(lexer, word, valid);
  }
  if (operand_due && scan_operand_word(lexer, word, valid)) return true;
  if (operand_due && !valid[ERROR_SENTINEL]) {
    if (!valid[MISSING_OPERAND]) return false;
    lexer->result_symbol = MISSING_OPERAND;
    return starts_clause(lexer, word, valid);
  }
  return scan_operator_word(lexer, word, valid);
}

bool tree_sitter_headwater_sql_external_scanner_scan(void *payload, TSLexer *lexer,
                                                     const bool *valid) {
  (void)payload;
  bool recovering = valid[ERROR_SENTINEL];
  // `t.` with nothing behind it is a name being typed, not a reason to take the next line's word.
  if (valid[MISSING_NAME] && !recovering) {
    lexer->mark_end(lexer);
    lexer->result_symbol = MISSING_NAME;
    if (lexer->eof(lexer) || lexer->lookahead == '\n' || lexer->lookahead == '\r' ||
        lexer->lookahead == ',' || lexer->lookahead == ')') {
      return true;
    }
    if (is_space(lexer->lookahead)) {
      char word[WORD_MAX_LENGTH];
      skip_spaces(lexer);
      if (lexer->eof(lexer)) return true;
      read_word(lexer, word);
      if (strcmp(word, "FROM") != 0 && !contains(CLAUSES, COUNT(CLAUSES), word)) return false;
      // `t. FROM = 1`
      skip_spaces(lexer);
      int32_t c = lexer->lookahead;
      return lexer->eof(lexer) || c >= 128 || strchr(",)].=<>!+-*/%|?:", (char)c) == NULL;
    }
  }
  // Not by `get_column`: it reads its whole line again, and a line may be all of the text.
  bool line_start = lexer->is_at_included_range_start(lexer);
  while (is_space(lexer->lookahead)) {
    line_start = lexer->lookahead == '\n' || lexer->lookahead == '\r';
    lexer->advance(lexer, true);
  }

  int32_t c = lexer->lookahead;
  if (!recovering && valid[INSERT_TARGET]) {
    lexer->mark_end(lexer);
    lexer->result_symbol = INSERT_TARGET;
    return skip_statement(lexer, true) == REACH_QUERY;
  }
  if (!recovering && valid[EXPRESSIONS_START] && c != '{' && c != '-' && c != '/' && c != '#' && c != '%') {
    lexer->mark_end(lexer);
    lexer->result_symbol = EXPRESSIONS_START;
    return scan_start(lexer);
  }
  if (!recovering && valid[OTHER_STATEMENT] && is_word_char(c)) {
    char word[WORD_MAX_LENGTH];
    lexer->mark_end(lexer);
    read_word(lexer, word);
    return scan_other_statement(lexer, word);
  }
  if (!recovering && valid[LIST_END] && (lexer->eof(lexer) || c == ';' || c == ')')) {
    lexer->mark_end(lexer);
    lexer->result_symbol = LIST_END;
    return true;
  }
  if (lexer->eof(lexer) || c == ';' || c == ',') {
    if (!valid[MISSING_OPERAND] || recovering) return false;
    lexer->mark_end(lexer);
    lexer->result_symbol = MISSING_OPERAND;
    return true;
  }

  switch (c) {
    case '{':
      advance(lexer);
      if (lexer->lookahead == '%') {
        advance(lexer);
        return scan_statement_tag(lexer, valid);
      }
      if (lexer->lookahead != '#') return false;
      advance(lexer);
      return end_comment(lexer, scan_to_tag_end(lexer, '#', false), TEMPLATE_COMMENT);
    case '-':
    case '/':
    case '#':
      return scan_comment(lexer, valid, line_start);
    case '$':
      return valid[HEREDOC] && scan_heredoc(lexer);
    default:
      return is_word_char(c) && !is_digit(c) && scan_word(lexer, valid);
  }
}

void *tree_sitter_headwater_sql_external_scanner_create(void) { return NULL; }

void tree_sitter_headwater_sql_external_scanner_destroy(void *payload) { (void)payload; }

unsigned tree_sitter_headwater_sql_external_scanner_serialize(void *payload, char *buffer) {
  (void)payload;
  (void)buffer;
  return 0;
}

void tree_sitter_headwater_sql_external_scanner_deserialize(void *payload, const char *buffer,
                                                            unsigned length) {
  (void)payload;
  (void)buffer;
  (void)length;
}
