// External scanner shared by the `.datasource`, `.pipe` and `.connection` grammars.
//
// It is stateless: the parser's own state (which tokens are valid) tells it where it is. The
// including file defines SCANNER(function) and one of HEADWATER_DATASOURCE, HEADWATER_PIPE and
// HEADWATER_CONNECTION.

#include "tree_sitter/parser.h"

#include <string.h>

// The order is that of `externals` in define.js.
enum Token {
  SQL_NAME,
  SCHEMA_NAME,
  INDEXES_NAME,
  NODE_NAME,
  OTHER_NAME,
  BLOCK_START,
  LINE_END,
  SQL_TEXT,
  SCHEMA_TEXT,
  INDEXES_TEXT,
  PLAIN_TEXT,
  NO_BODY,
};

// Names that end a block when they start a line at column 0, in upper case. A plain array: it is
// searched once per unindented line inside a block, which is rare.
//
// FROM is a directive of the Classic dialect but deliberately absent: a line starting with it never
// ends a block there, and SQL puts it at column 0 all the time.
static const char *const DIRECTIVES[] = {
    "DESCRIPTION", "TAGS", "TOKEN", "INCLUDE", "VERSION", "MAINTAINER", "SOURCE", "SCOPE",
    "RESOURCE", "FILTER", "TEST", "EXPORT_SERVICE", "TYPE",
#if defined(HEADWATER_DATASOURCE) || defined(HEADWATER_PIPE)
    "ENGINE", "ENGINE_PARTITION_KEY", "ENGINE_SORTING_KEY", "ENGINE_PRIMARY_KEY",
    "ENGINE_SAMPLING_KEY", "ENGINE_TTL", "ENGINE_SETTINGS", "ENGINE_VER", "ENGINE_IS_DELETED",
    "ENGINE_COLUMNS", "ENGINE_SIGN", "ENGINE_VERSION",
#endif
#if defined(HEADWATER_DATASOURCE)
    "SCHEMA", "INDEXES", "INDICES", "PARTITION_KEY", "SORTING_KEY", "PRIMARY_KEY", "SAMPLING_KEY",
    "TTL", "SETTINGS", "SHARED_WITH", "FORWARD_QUERY", "BACKFILL", "KAFKA_CONNECTION_NAME",
    "KAFKA_TOPIC", "KAFKA_GROUP_ID", "KAFKA_AUTO_OFFSET_RESET", "KAFKA_STORE_RAW_VALUE",
    "KAFKA_STORE_HEADERS", "KAFKA_STORE_BINARY_HEADERS", "KAFKA_KEY_FORMAT", "KAFKA_VALUE_FORMAT",
    "KAFKA_TARGET_PARTITIONS", "KAFKA_KEY_AVRO_DESERIALIZATION", "IMPORT_CONNECTION_NAME",
    "IMPORT_BUCKET_URI", "IMPORT_SCHEDULE", "IMPORT_FORMAT", "IMPORT_FROM_TIMESTAMP",
    "IMPORT_TABLE_ARN", "IMPORT_EXPORT_BUCKET", "IMPORT_QUERY", "IMPORT_SERVICE",
    "IMPORT_EXTERNAL_DATASOURCE", "IMPORT_STRATEGY", "PG_CONNECTION_NAME", "PG_TABLE",
#endif
#if defined(HEADWATER_PIPE)
    "NODE", "SQL", "DATASOURCE", "DEPLOYMENT_METHOD", "TARGET_DATASOURCE", "COPY_SCHEDULE",
    "COPY_MODE", "MODE", "ON_DEMAND_COMPUTE", "EXPORT_CONNECTION_NAME", "EXPORT_SCHEDULE",
    "EXPORT_BUCKET_URI", "EXPORT_FILE_TEMPLATE", "EXPORT_FORMAT", "EXPORT_COMPRESSION",
    "EXPORT_WRITE_STRATEGY", "EXPORT_STRATEGY", "EXPORT_KAFKA_TOPIC",
#endif
#if defined(HEADWATER_DATASOURCE) || defined(HEADWATER_CONNECTION)
    // Classic data sources carry the broker's credentials themselves.
    "KAFKA_BOOTSTRAP_SERVERS", "KAFKA_SECURITY_PROTOCOL", "KAFKA_SASL_MECHANISM", "KAFKA_KEY",
    "KAFKA_SECRET", "KAFKA_SCHEMA_REGISTRY_URL", "KAFKA_SSL_CA_PEM",
#endif
#if defined(HEADWATER_CONNECTION)
    "KAFKA_SASL_OAUTHBEARER_METHOD", "KAFKA_SASL_OAUTHBEARER_AWS_REGION",
    "KAFKA_SASL_OAUTHBEARER_AWS_ROLE_ARN", "KAFKA_SASL_OAUTHBEARER_AWS_EXTERNAL_ID",
    "KAFKA_KEY_AVRO_DESERIALIZATION", "S3_REGION", "S3_ARN", "S3_ACCESS_KEY", "S3_SECRET",
    "GCS_SERVICE_ACCOUNT_CREDENTIALS_JSON", "GCS_HMAC_ACCESS_ID", "GCS_HMAC_SECRET",
    "GCS_ACCESS_ID", "GCS_SECRET", "DYNAMODB_ARN", "DYNAMODB_REGION", "PG_HOST", "PG_PORT",
    "PG_DATABASE", "PG_USER", "PG_PASSWORD", "PG_SSL_MODE",
#endif
};

// Longer than every name above; a longer word cannot be one of them.
#define NAME_MAX_LENGTH 48

static bool is_line_end(int32_t c) { return c == '\n' || c == '\r'; }

static bool is_blank(int32_t c) { return c == ' ' || c == '\t' || c == '\f' || c == '\v'; }

// Reads the word under the cursor (up to white space or `#`), upper-cased, into `name`; a word too
// long to be a directive leaves it empty.
static void read_word(TSLexer *lexer, char name[NAME_MAX_LENGTH]) {
  unsigned length = 0;
  while (!lexer->eof(lexer) && !is_line_end(lexer->lookahead) && !is_blank(lexer->lookahead) &&
         lexer->lookahead != '#') {
    int32_t c = lexer->lookahead;
    if (c >= 'a' && c <= 'z') c -= 'a' - 'A';
    // Anything outside ASCII keeps the word from matching.
    if (length < NAME_MAX_LENGTH) name[length++] = (c > 0 && c < 128) ? (char)c : '?';
    lexer->advance(lexer, false);
  }
  name[length < NAME_MAX_LENGTH ? length : 0] = '\0';
}

static bool is_directive(const char *name) {
  for (unsigned i = 0; i < sizeof(DIRECTIVES) / sizeof(*DIRECTIVES); i++) {
    if (strcmp(DIRECTIVES[i], name) == 0) return true;
  }
  return false;
}

// Scans a block's body. The token stops after the last line with content, so that blank lines and
// comments between two directives belong to neither.
static bool scan_body(TSLexer *lexer, enum Token body) {
  bool has_content = false;
  lexer->mark_end(lexer);
  while (!lexer->eof(lexer)) {
    bool indented = is_blank(lexer->lookahead);
    while (is_blank(lexer->lookahead)) lexer->advance(lexer, false);
    if (is_line_end(lexer->lookahead)) {
      lexer->advance(lexer, false);
      continue;
    }
    bool comment = lexer->lookahead == '#';
    if (!indented && !comment) {
      char word[NAME_MAX_LENGTH];
      read_word(lexer, word);
      if (is_directive(word)) break;
    }
    // Blanks at the end of the line are kept: inside a text they are the author's.
    while (!lexer->eof(lexer) && !is_line_end(lexer->lookahead)) {
      lexer->advance(lexer, false);
    }
    if (!comment) {
      has_content = true;
      lexer->mark_end(lexer);
    }
  }
  lexer->result_symbol = has_content ? body : NO_BODY;
  return true;
}

static bool scan_name(TSLexer *lexer) {
  while (is_blank(lexer->lookahead) || is_line_end(lexer->lookahead)) lexer->advance(lexer, true);
  if (lexer->eof(lexer) || lexer->lookahead == '#') return false;

  char name[NAME_MAX_LENGTH];
  read_word(lexer, name);
  lexer->mark_end(lexer);
  if (strcmp(name, "SQL") == 0 || strcmp(name, "FORWARD_QUERY") == 0) {
    lexer->result_symbol = SQL_NAME;
  } else if (strcmp(name, "SCHEMA") == 0) {
    lexer->result_symbol = SCHEMA_NAME;
  } else if (strcmp(name, "INDEXES") == 0 || strcmp(name, "INDICES") == 0) {
    lexer->result_symbol = INDEXES_NAME;
  } else if (strcmp(name, "NODE") == 0) {
    lexer->result_symbol = NODE_NAME;
  } else {
    lexer->result_symbol = OTHER_NAME;
  }
  return true;
}

bool SCANNER(scan)(void *payload, TSLexer *lexer, const bool *valid) {
  (void)payload;
  if (valid[NO_BODY] && !valid[OTHER_NAME]) {
    enum Token body = valid[SQL_TEXT]       ? SQL_TEXT
                      : valid[SCHEMA_TEXT]  ? SCHEMA_TEXT
                      : valid[INDEXES_TEXT] ? INDEXES_TEXT
                                            : PLAIN_TEXT;
    return scan_body(lexer, body);
  }
  if (valid[LINE_END]) {
    while (is_blank(lexer->lookahead)) lexer->advance(lexer, true);
    if (lexer->eof(lexer)) {
      lexer->mark_end(lexer);
      lexer->result_symbol = LINE_END;
      // In error recovery every token is valid and one of no width would repeat forever.
      return !valid[OTHER_NAME];
    }
    if (is_line_end(lexer->lookahead)) {
      bool carriage_return = lexer->lookahead == '\r';
      lexer->advance(lexer, false);
      if (carriage_return && lexer->lookahead == '\n') lexer->advance(lexer, false);
      lexer->mark_end(lexer);
      lexer->result_symbol = LINE_END;
      return true;
    }
    if (valid[BLOCK_START] && lexer->lookahead == '>') {
      lexer->advance(lexer, false);
      lexer->mark_end(lexer);
      lexer->result_symbol = BLOCK_START;
      return lexer->eof(lexer) || is_blank(lexer->lookahead) || is_line_end(lexer->lookahead) ||
             lexer->lookahead == '#';
    }
    return false;
  }
  return valid[OTHER_NAME] && scan_name(lexer);
}

void *SCANNER(create)(void) { return NULL; }

void SCANNER(destroy)(void *payload) { (void)payload; }

unsigned SCANNER(serialize)(void *payload, char *buffer) {
  (void)payload;
  (void)buffer;
  return 0;
}

void SCANNER(deserialize)(void *payload, const char *buffer, unsigned length) {
  (void)payload;
  (void)buffer;
  (void)length;
}
