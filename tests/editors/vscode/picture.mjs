// The picture of the README: a data source with its lens, and the list of what is downstream opened under it.
import path from 'node:path';
import { expect, openFile, ready, SLOW, workbench } from './lib.mjs';

const { page, close } = await workbench();
await page.setViewportSize({ width: 1180, height: 720 });
await ready(page);
await openFile(page, expect.screenshot.file);
const lens = page.locator('.codelens-decoration a').filter({ hasText: expect.lens.title[0] }).first();
await lens.waitFor({ timeout: SLOW });
await lens.click();
const list = page.locator('.reference-zone-widget', { hasText: path.basename(expect.screenshot.downstream) }).first();
await list.waitFor({ timeout: SLOW });
await page.mouse.move(5, 715);
// Colours arrive in steps: the grammar's at once, the server's a little later.
await page.waitForTimeout(1500);
await page.screenshot({ path: process.env.HEADWATER_PICTURE });
await close();
console.log('end');
