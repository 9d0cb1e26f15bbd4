// compare.mjs MODULES CASES.json: grammars as WebAssembly against the trees that the native ones gave.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, cases] = process.argv.slice(2);
const entry = path.join(modules, 'node_modules/web-tree-sitter/web-tree-sitter.js');
const { Language, Parser } = await import(pathToFileURL(entry));
await Parser.init();

for (const { name, wasm, texts } of JSON.parse(fs.readFileSync(cases, 'utf8'))) {
  try {
    const parser = new Parser();
    parser.setLanguage(await Language.load(wasm));
    const different = texts.filter(({ text, tree }) => parser.parse(text).rootNode.toString() !== tree);
    if (!texts.length) console.log(`FAIL ${name}: no text to parse`);
    else if (different.length) {
      const [{ text }] = different;
      console.log(`FAIL ${name}: another tree for ${different.length} of ${texts.length} texts, first ${JSON.stringify(text.slice(0, 200))}`);
    } else console.log(`ok ${name}`);
  } catch (error) {
    console.log(`FAIL ${name}: ${String(error).replaceAll('\n', ' ')}`);
  }
}
console.log('end');
