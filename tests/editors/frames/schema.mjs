// schema.mjs MODULES OUT.json: JSON Schema of every message of the protocol, from the types of
// vscode-languageserver-protocol. The protocol's own meta model is in no package registry; its types are.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const [modules, out] = process.argv.slice(2);
const require = createRequire(path.join(modules, 'package.json'));
const ts = require('typescript');
const protocol = require('vscode-languageserver-protocol');

// Each message is a namespace with a `method` and a `type` whose arguments are the types of its parts:
// ProtocolRequestType<Params, Result, Partial, Error, Options>, ProtocolNotificationType<Params, Options>; the ones that
// end in 0 have no parameters.
const messages = {};
const common = path.join(modules, 'node_modules/vscode-languageserver-protocol/lib/common');
for (const file of fs.readdirSync(common).filter((f) => /^protocol.*\.d\.ts$/.test(f))) {
  const source = ts.createSourceFile(file, fs.readFileSync(path.join(common, file), 'utf8'), ts.ScriptTarget.Latest, true);
  source.forEachChild((node) => {
    if (!ts.isModuleDeclaration(node) || !node.body?.statements) return;
    const declared = node.body.statements.filter(ts.isVariableStatement).flatMap((s) => s.declarationList.declarations);
    const type = declared.find((d) => d.name.getText() === 'type')?.type;
    const { method, messageDirection } = protocol[node.name.text] ?? {};
    if (!method || !type?.typeName) return;
    const of = (type.typeArguments ?? []).map((a) => a.getText());
    const kind = type.typeName.getText().replace(/^Protocol/, '');
    messages[method] = {
      direction: messageDirection,
      ...(kind.endsWith('0') ? {} : { params: of[0] }),
      ...(kind === 'RequestType' ? { result: of[1] } : kind === 'RequestType0' ? { result: of[0] } : {}),
    };
  });
}

// One interface with a property per part, for the generator to start from.
const exported = new Set(typeNames());
const used = new Set();
const parts = Object.entries(messages).flatMap(([method, message]) => {
  return ['params', 'result'].filter((p) => message[p]).map((p) => `  '${p} ${method}': ${message[p].replace(/\b[A-Z]\w*\b/g, use)};`);
});
function use(name) {
  if (exported.has(name)) used.add(name);
  return name;
}
const entry = path.join(modules, 'messages.ts');
fs.writeFileSync(
  entry,
  `import type { ${[...used].join(', ')} } from 'vscode-languageserver-protocol';\nexport interface Messages {\n${parts.join('\n')}\n}\n`,
);
const tsconfig = path.join(modules, 'tsconfig.json');
const options = { module: 'node16', moduleResolution: 'node16', strict: true, skipLibCheck: true, types: [] };
fs.writeFileSync(tsconfig, JSON.stringify({ compilerOptions: options, files: ['messages.ts'] }));

const { createGenerator } = await import(require.resolve('ts-json-schema-generator'));
const schema = createGenerator({ path: entry, tsconfig, type: 'Messages', skipTypeCheck: true }).createSchema('Messages');
// TypeScript has one number.
Object.assign(schema.definitions.integer ?? {}, { type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 });
Object.assign(schema.definitions.uinteger ?? {}, { type: 'integer', minimum: 0, maximum: 2 ** 31 - 1 });
fs.writeFileSync(out, JSON.stringify({ messages, schema }));
console.log('end');

function typeNames() {
  const program = ts.createProgram([require.resolve('vscode-languageserver-protocol').replace(/\.js$/, '.d.ts')], {
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    skipLibCheck: true,
    types: [],
  });
  const checker = program.getTypeChecker();
  const [root] = program.getRootFileNames();
  return checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(root))).map((s) => s.name);
}
