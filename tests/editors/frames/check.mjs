// check.mjs MODULES SCHEMA.json LOG.jsonl…: every recorded frame against the protocol. What the server sends wrong is a
// failure; what an editor sends wrong is only said.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const [modules, schemaFile, ...logs] = process.argv.slice(2);
const Ajv = createRequire(path.join(modules, 'package.json'))('ajv').default;
const { messages, schema } = JSON.parse(fs.readFileSync(schemaFile, 'utf8'));
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema(schema, 'lsp');

/** Ours, on top of the protocol. */
for (const ours of ['status', 'preview', 'preview/parameters', 'tests/discover', 'tests/run', 'tests/accept']) {
  messages[`headwater/${ours}`] = { direction: 'clientToServer' };
}
for (const ours of ['tests/result', 'tests/changed']) messages[`headwater/${ours}`] = { direction: 'serverToClient' };
/** May stay open as long as nothing changes. */
const LONG_POLLED = 'workspace/diagnostic';
/** Frames of a dead session need no answer; later than this the server has had its time. */
const PATIENCE_MS = 2000;

const validators = new Map();
function wrong(part, method, value) {
  const key = `${part} ${method}`;
  if (!messages[method]?.[part]) return undefined;
  const pointer = encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'));
  if (!validators.has(key)) {
    validators.set(key, ajv.compile({ $ref: `lsp#/definitions/Messages/properties/${pointer}` }));
  }
  const valid = validators.get(key);
  if (valid(value)) return undefined;
  // Of a union every alternative complains; the one that came deepest was meant.
  const [worst] = [...valid.errors].sort((a, b) => b.instancePath.length - a.instancePath.length);
  return `${part}${worst.instancePath} ${worst.message} ${JSON.stringify(worst.params)}`;
}

function checkLog(log) {
  const faults = { s2c: [], c2s: [] };
  const open = new Map();
  const lastAnswer = new Map();
  let frames = 0;
  for (const line of fs.readFileSync(log, 'utf8').split('\n').filter(Boolean)) {
    let frame;
    frames += 1;
    try {
      frame = JSON.parse(line);
    } catch {
      const direction = /"dir":"(s2c|c2s)"/.exec(line)?.[1] ?? 's2c';
      faults[direction].push(`not JSON: ${line.slice(0, 200)}`);
      continue;
    }
    const { pid, ms, dir, msg } = frame;
    const fault = (text) => text && faults[dir].push(`${msg.method ?? 'answer'} ${text}`);
    if (msg.jsonrpc !== '2.0') fault('has no jsonrpc 2.0');
    if (dir === 's2c') lastAnswer.set(pid, ms);
    if (msg.method) {
      const known = messages[msg.method];
      const allowed = { c2s: 'clientToServer', s2c: 'serverToClient' }[dir];
      if (!known && !msg.method.startsWith('$/')) fault('is not a method of the protocol');
      if (known && known.direction !== 'both' && known.direction !== allowed) fault('goes the wrong way');
      fault(wrong('params', msg.method, msg.params));
      if ('id' in msg) {
        const key = `${pid} ${dir} ${JSON.stringify(msg.id)}`;
        if (open.has(key)) fault(`reuses the id ${msg.id}`);
        open.set(key, { method: msg.method, ms, pid, dir });
      }
      continue;
    }
    const key = `${pid} ${dir === 's2c' ? 'c2s' : 's2c'} ${JSON.stringify(msg.id)}`;
    const asked = open.get(key);
    if (!open.delete(key)) fault(`has an id that nobody asked with: ${msg.id}`);
    if ('result' in msg === 'error' in msg) fault(`to ${asked?.method} must have either a result or an error`);
    else if (asked && 'result' in msg) fault(wrong('result', asked.method, msg.result) && `to ${asked.method}: ${wrong('result', asked.method, msg.result)}`);
    else if (asked && (!Number.isInteger(msg.error.code) || typeof msg.error.message !== 'string')) fault('has a malformed error');
  }
  for (const { method, ms, pid, dir } of open.values()) {
    const ignored = dir === 'c2s' && method !== LONG_POLLED && (lastAnswer.get(pid) ?? 0) - ms > PATIENCE_MS;
    if (ignored) faults.s2c.push(`${method} was never answered`);
  }
  return { frames, faults };
}

for (const log of logs) {
  const name = path.basename(log, '.jsonl');
  const { frames, faults } = checkLog(log);
  for (const text of new Set(faults.c2s)) console.log(`note ${name}: the editor: ${text.slice(0, 300)}`);
  const bad = [...new Set(faults.s2c)];
  if (!frames) console.log(`FAIL ${name}: nothing was recorded`);
  else if (bad.length) console.log(`FAIL ${name}: ${bad.length} kinds of fault in ${frames} frames: ${bad.slice(0, 8).join(' | ').slice(0, 1500)}`);
  else console.log(`ok ${name}, ${frames} frames`);
}
console.log('end');
