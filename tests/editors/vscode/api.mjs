// Opens the workbench with the tests of api/index.js as its extension tests, and reports what they wrote.
import fs from 'node:fs';
import path from 'node:path';
import { SLOW, workbench } from './lib.mjs';

const { env } = process;
const report = env.HEADWATER_REPORT;
const host = new URL(env.HEADWATER_CODE).host;
const remote = (file) => `vscode-remote://${host}${file}`;

const { page, close } = await workbench([
  ['extensionDevelopmentPath', remote(env.HEADWATER_EXTENSION)],
  ['extensionTestsPath', remote(path.join(import.meta.dirname, 'api/index.js'))],
]);
for (const start = Date.now(); !fs.existsSync(report) && Date.now() - start < 3 * SLOW; ) {
  await page.waitForTimeout(50);
}
if (fs.existsSync(report)) {
  console.log(fs.readFileSync(report, 'utf8'));
} else {
  await page.screenshot({ path: path.join(env.HEADWATER_OUT, 'vscode-api.png') }).catch(() => {});
}
await close();
