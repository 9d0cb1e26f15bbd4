// External scanner of the SQL grammar: template tags, heredocs, and three operator words.
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
  MISSING_OPERAND,
  MISSING_NAME,
  FROM_MARKER,
  UNCLOSED_STATEMENT,
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

#define WORD_MAX_LENGTH 16
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static bool is_space(int32_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xA0 || c == 0xFEFF || c == 0x3000;
}

static bool is_word_char(int32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool contains(const char *const *words, unsigned count, const char *word) {
  for (unsigned i = 0; i < count; i++) {
    if (strcmp(words[i], word) == 0) return true;
  }
  return false;
}

static void skip_spaces(TSLexer *lexer) {
  while (is_space(lexer->lookahead)) lexer->advance(lexer, false);
}

// Reads a word in upper case; one too long to be in any list comes out empty.
static void read_word(TSLexer *lexer, char word[WORD_MAX_LENGTH]) {
  unsigned length = 0;
  while (is_word_char(lexer->lookahead)) {
    int32_t c = lexer->lookahead;
    if (c >= 'a' && c <= 'z') c -= 'a' - 'A';
    if (length < WORD_MAX_LENGTH) word[length++] = (char)c;
    lexer->advance(lexer, false);
  }
  word[length < WORD_MAX_LENGTH ? length : 0] = '\0';
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
    lexer->advance(lexer, false);
    if (previous == close && c == '}') return true;
    if (close == '%' && previous == '{' && (c == '%' || c == '{')) break;
    previous = c;
  }
  if (mark) lexer->mark_end(lexer);
  return false;
}

static void skip_line(TSLexer *lexer) {
  while (!lexer->eof(lexer) && lexer->lookahead != '\n' && lexer->lookahead != '\r') {
    lexer->advance(lexer, false);
  }
}

// Looks past white space, comments and further tags at what comes next.
static enum Follow classify_following(TSLexer *lexer) {
  for (;;) {
    skip_spaces(lexer);
    if (lexer->eof(lexer)) return FOLLOW_CONTINUES;
    int32_t c = lexer->lookahead;
    switch (c) {
      case '#':
        skip_line(lexer);
        continue;
      case '-':
        lexer->advance(lexer, false);
        if (lexer->lookahead != '-') return FOLLOW_UNKNOWN;
        skip_line(lexer);
        continue;
      case '/':
        lexer->advance(lexer, false);
        if (lexer->lookahead != '*') return FOLLOW_CONTINUES;
        for (int32_t previous = 0; !lexer->eof(lexer);) {
          int32_t current = lexer->lookahead;
          lexer->advance(lexer, false);
          if (previous == '*' && current == '/') break;
          previous = current;
        }
        continue;
      case '{':
        lexer->advance(lexer, false);
        if (lexer->lookahead != '%' && lexer->lookahead != '#') return FOLLOW_OPERAND;
        c = lexer->lookahead;
        lexer->advance(lexer, false);
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
}

// `$tag$ … $tag$`, the tag possibly empty.
static bool scan_heredoc(TSLexer *lexer) {
  char tag[WORD_MAX_LENGTH * 2];
  unsigned length = 0;
  lexer->advance(lexer, false);
  while (is_word_char(lexer->lookahead)) {
    if (length == sizeof(tag)) return false;
    tag[length++] = (char)lexer->lookahead;
    lexer->advance(lexer, false);
  }
  if (lexer->lookahead != '$') return false;
  lexer->advance(lexer, false);
  while (!lexer->eof(lexer)) {
    if (lexer->lookahead != '$') {
      lexer->advance(lexer, false);
      continue;
    }
    lexer->advance(lexer, false);
    unsigned matched = 0;
    while (matched < length && lexer->lookahead == tag[matched]) {
      lexer->advance(lexer, false);
      matched++;
    }
    // A `$` that does not end the tag may start the next try, so it is not consumed here.
    if (matched == length && lexer->lookahead == '$') {
      lexer->advance(lexer, false);
      lexer->mark_end(lexer);
      lexer->result_symbol = HEREDOC;
      return true;
    }
  }
  return false;
}

// The operator words are here because each is the beginning of other keywords (IN of INTERSECT, AS of
// ASC). The generator keeps states apart over that, and as external tokens they do not count.
static bool scan_operator_word(TSLexer *lexer, const char *word, const bool *valid) {
  enum Token token;
  if (strcmp(word, "AS") == 0) {
    token = WORD_AS;
  } else if (strcmp(word, "IN") == 0) {
    token = WORD_IN;
  } else if (strcmp(word, "OR") == 0) {
    token = WORD_OR;
  } else if (strcmp(word, "GLOBAL") == 0) {
    token = GLOBAL_IN;
  } else {
    return false;
  }
  if (!valid[token]) return false;
  lexer->mark_end(lexer);
  lexer->result_symbol = token;
  if (token != GLOBAL_IN) return true;

  // GLOBAL also begins a join.
  char next[WORD_MAX_LENGTH];
  skip_spaces(lexer);
  read_word(lexer, next);
  if (strcmp(next, "NOT") == 0) {
    skip_spaces(lexer);
    read_word(lexer, next);
  }
  return strcmp(next, "IN") == 0;
}

// Whether `word`, read where an operand is due, begins the next clause instead. Most words of clauses
// are legal column names, so what follows has to confirm it.
static bool starts_clause(TSLexer *lexer, const char *word, const bool *valid) {
  char next[WORD_MAX_LENGTH];
  if (strcmp(word, "AND") == 0 || strcmp(word, "OR") == 0 || strcmp(word, "THEN") == 0 ||
      strcmp(word, "ELSE") == 0) {
    skip_spaces(lexer);
    return is_word_char(lexer->lookahead) || lexer->lookahead == '(' || lexer->lookahead == '\'' ||
           lexer->lookahead == '{';
  }
  if (strcmp(word, "GROUP") == 0 || strcmp(word, "ORDER") == 0 || strcmp(word, "PARTITION") == 0) {
    skip_spaces(lexer);
    read_word(lexer, next);
    return strcmp(next, "BY") == 0;
  }
  if (strcmp(word, "LIMIT") == 0 || strcmp(word, "OFFSET") == 0) {
    skip_spaces(lexer);
    return (lexer->lookahead >= '0' && lexer->lookahead <= '9') || lexer->lookahead == '{';
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
    if (c == '\'' || c == '`' || c == '"' || c == '{' || c == '(') return true;
    if (!is_word_char(c)) return false;
    read_word(lexer, next);
    return !contains(CONTINUING, COUNT(CONTINUING), next);
  }
  return false;
}

static bool scan_word(TSLexer *lexer, const bool *valid) {
  bool operand_due = valid[MISSING_OPERAND] && !valid[ERROR_SENTINEL];
  if (!operand_due && !valid[WORD_AS] && !valid[WORD_IN] && !valid[WORD_OR]) return false;

  // Nothing is consumed unless an operator word says so.
  lexer->mark_end(lexer);
  char word[WORD_MAX_LENGTH];
  read_word(lexer, word);
  if (lexer->lookahead == '$') return false;
  if (operand_due) {
    lexer->result_symbol = MISSING_OPERAND;
    return starts_clause(lexer, word, valid);
  }
  return scan_operator_word(lexer, word, valid);
}

bool tree_sitter_headwater_sql_external_scanner_scan(void *payload, TSLexer *lexer,
                                                     const bool *valid) {
  (void)payload;
  // `t.` with nothing behind it is a name being typed, not a reason to take the next line's word.
  if (valid[MISSING_NAME] && !valid[ERROR_SENTINEL] &&
      (lexer->eof(lexer) || is_space(lexer->lookahead) || lexer->lookahead == ',' ||
       lexer->lookahead == ')')) {
    lexer->mark_end(lexer);
    lexer->result_symbol = MISSING_NAME;
    return true;
  }
  while (is_space(lexer->lookahead)) lexer->advance(lexer, true);

  if (lexer->eof(lexer) || lexer->lookahead == ';' || lexer->lookahead == ',') {
    if (!valid[MISSING_OPERAND] || valid[ERROR_SENTINEL]) return false;
    lexer->mark_end(lexer);
    lexer->result_symbol = MISSING_OPERAND;
    return true;
  }

  switch (lexer->lookahead) {
    case '{':
      lexer->advance(lexer, false);
      if (lexer->lookahead != '%') return false;
      lexer->advance(lexer, false);
      if (!scan_to_tag_end(lexer, '%', true)) {
        lexer->result_symbol = UNCLOSED_STATEMENT;
        return true;
      }
      lexer->mark_end(lexer);
      lexer->result_symbol = TEMPLATE_STATEMENT;
      // In error recovery everything is valid, which says nothing about the place.
      if (!valid[ERROR_SENTINEL] && (valid[ALTERNATIVE] || valid[TEMPLATE_HOLE])) {
        enum Follow follow = classify_following(lexer);
        if (valid[ALTERNATIVE] && follow == FOLLOW_OPERAND) {
          lexer->result_symbol = ALTERNATIVE;
        } else if (valid[TEMPLATE_HOLE] && follow == FOLLOW_CONTINUES) {
          lexer->result_symbol = TEMPLATE_HOLE;
        }
      }
      return true;
    case '$':
      return valid[HEREDOC] && scan_heredoc(lexer);
    default:
      return is_word_char(lexer->lookahead) && scan_word(lexer, valid);
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
