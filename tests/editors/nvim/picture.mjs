// picture.mjs SCREEN.ansi OUT.png: draws what a terminal showed.
import fs from 'node:fs';
import { browser } from '../vscode/lib.mjs';
import { html } from './ansi.mjs';

const [screen, out] = process.argv.slice(2);
const { page, close } = await browser('about:blank');
await page.setContent(`<!doctype html><meta charset="utf-8">
<style>
  body { margin: 0; background: #0b0d10; }
  pre { display: inline-block; margin: 0; padding: 14px 18px; background: #14161b; color: #e0e2ea;
        font: 15px/1.3 'DejaVu Sans Mono', monospace; }
</style><pre>${html(fs.readFileSync(screen, 'utf8').trimEnd())}</pre>`);
await page.locator('pre').screenshot({ path: out });
await close();
console.log('end');
