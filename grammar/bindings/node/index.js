const path = require('node:path');

const root = path.join(__dirname, '..', '..');
const binding = require('node-gyp-build')(root);

const folders = {
  connection: 'datafile/connection',
  datasource: 'datafile/datasource',
  pipe: 'datafile/pipe',
  sql: 'sql',
};

for (const [kind, folder] of Object.entries(folders)) {
  binding[kind].name = `headwater_${kind}`;
  binding[kind].nodeTypeInfo = require(path.join(root, folder, 'src', 'node-types.json'));
}

module.exports = binding;
