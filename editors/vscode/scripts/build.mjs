// dist/extension.js and dist/syntaxes/*.json.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { grammars } from './grammars.mjs';

const root = path.dirname(import.meta.dirname);
const dist = path.join(root, 'dist');
rmSync(dist, { recursive: true, force: true });
mkdirSync(path.join(dist, 'syntaxes'), { recursive: true });
for (const [name, grammar] of Object.entries(grammars)) {
  writeFileSync(path.join(dist, 'syntaxes', `${name}.json`), JSON.stringify(grammar));
}
await build({
  absWorkingDir: root,
  entryPoints: ['src/extension.ts'],
  outfile: 'dist/extension.js',
  bundle: true,
  minify: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  external: ['vscode'],
  logLevel: 'warning',
});
