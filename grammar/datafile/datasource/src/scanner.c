// The scanner is shared by the three datafile grammars; only the directive set differs.
#define HEADWATER_DATASOURCE
#define SCANNER(function) tree_sitter_headwater_datasource_external_scanner_##function
#include "../../common/scanner.h"
