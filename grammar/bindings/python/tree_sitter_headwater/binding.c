#include <Python.h>

typedef struct TSLanguage TSLanguage;

const TSLanguage *tree_sitter_headwater_connection(void);
const TSLanguage *tree_sitter_headwater_datasource(void);
const TSLanguage *tree_sitter_headwater_pipe(void);
const TSLanguage *tree_sitter_headwater_sql(void);

// The capsule's name is how `tree_sitter.Language` tells a language from any other pointer.
#define LANGUAGE(kind)                                                                            \
  static PyObject *language_##kind(PyObject *self, PyObject *args) {                              \
    (void)self;                                                                                   \
    (void)args;                                                                                   \
    return PyCapsule_New((void *)tree_sitter_headwater_##kind(), "tree_sitter.Language", NULL);   \
  }

LANGUAGE(connection)
LANGUAGE(datasource)
LANGUAGE(pipe)
LANGUAGE(sql)

static PyMethodDef methods[] = {
    {"connection", language_connection, METH_NOARGS, "The language of .connection files."},
    {"datasource", language_datasource, METH_NOARGS, "The language of .datasource files."},
    {"pipe", language_pipe, METH_NOARGS, "The language of .pipe files."},
    {"sql", language_sql, METH_NOARGS, "The language of the SQL in them."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_binding",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit__binding(void) { return PyModule_Create(&module); }
