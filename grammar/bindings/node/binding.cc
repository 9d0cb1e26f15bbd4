#include <napi.h>

typedef struct TSLanguage TSLanguage;

extern "C" const TSLanguage *tree_sitter_headwater_connection();
extern "C" const TSLanguage *tree_sitter_headwater_datasource();
extern "C" const TSLanguage *tree_sitter_headwater_pipe();
extern "C" const TSLanguage *tree_sitter_headwater_sql();

// By which `tree-sitter` tells a language from any other pointer.
static const napi_type_tag LANGUAGE_TYPE_TAG = {0x8AF2E5212AD58ABF, 0xD5006CAD83ABBA16};

static Napi::Object Language(Napi::Env env, const TSLanguage *language) {
  auto pointer = Napi::External<TSLanguage>::New(env, const_cast<TSLanguage *>(language));
  pointer.TypeTag(&LANGUAGE_TYPE_TAG);
  auto object = Napi::Object::New(env);
  object["language"] = pointer;
  return object;
}

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports["connection"] = Language(env, tree_sitter_headwater_connection());
  exports["datasource"] = Language(env, tree_sitter_headwater_datasource());
  exports["pipe"] = Language(env, tree_sitter_headwater_pipe());
  exports["sql"] = Language(env, tree_sitter_headwater_sql());
  return exports;
}

NODE_API_MODULE(tree_sitter_headwater_binding, Init)
