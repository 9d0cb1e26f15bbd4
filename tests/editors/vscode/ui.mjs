// A user's session in the real workbench: keys in, pixels and DOM out.
import path from 'node:path';
import { checker, command, expect, goTo, openFile, place, ready, SLOW, workbench } from './lib.mjs';

const { page, close } = await workbench();
const check = checker(page);
const lens = () => page.locator('.codelens-decoration a').filter({ hasText: new RegExp(expect.lens.title.join('.*')) }).first();

await check('workbench', () => ready(page));

await check('code lens is drawn', async () => {
  await openFile(page, expect.lens.file);
  await lens().waitFor({ timeout: SLOW });
});

await check('code lens opens the list', async () => {
  await lens().click();
  const name = path.basename(expect.lens.lists[0]);
  await page.locator('.reference-zone-widget', { hasText: name }).first().waitFor({ timeout: SLOW });
  await page.keyboard.press('Escape');
});

await check('diagnostic appears while typing and vanishes', async () => {
  const { file, at, text } = expect.typing;
  await openFile(page, file);
  await goTo(page, place(file, at));
  await page.keyboard.type(text, { delay: 20 });
  await page.waitForSelector('.squiggly-error', { timeout: SLOW });
  for (const _ of text) await page.keyboard.press('Backspace');
  await page.waitForFunction(() => !document.querySelector('.squiggly-error'), null, { timeout: SLOW });
});

await check('hover', async () => {
  const { file, at, contains } = expect.hover;
  await openFile(page, file);
  await goTo(page, place(file, at));
  // The chord of "Show or Focus Hover": the same content as under the mouse, without aiming at pixels.
  await page.keyboard.press('Control+K');
  await page.keyboard.press('Control+I');
  for (const part of contains) {
    await page.locator('.monaco-hover', { hasText: part }).first().waitFor({ timeout: SLOW });
  }
  await page.keyboard.press('Escape');
});

await check('go to definition', async () => {
  const { file, at, target } = expect.definition;
  await openFile(page, file);
  await goTo(page, place(file, at));
  await page.keyboard.press('F12');
  await page.locator('.tab.active', { hasText: path.basename(target) }).waitFor({ timeout: SLOW });
});

await check('workspace symbols', async () => {
  await page.keyboard.press('Control+T');
  await page.waitForSelector('.quick-input-widget input', { state: 'visible', timeout: SLOW });
  await page.keyboard.type(expect.workspaceSymbols.query);
  const row = page.locator('.quick-input-list .monaco-list-row', { hasText: expect.workspaceSymbols.query }).first();
  await row.waitFor({ timeout: SLOW });
  await page.keyboard.press('Escape');
});

await check('Show Status', async () => {
  await command(page, 'Headwater: Show Status');
  await page.locator('.tab.active', { hasText: 'Headwater status' }).waitFor({ timeout: SLOW });
  // By mouse: the page is a frame of its own, which keeps the keyboard.
  await page.locator('.tab', { hasText: path.basename(expect.lens.file) }).click();
});

await check('Restart Server', async () => {
  await openFile(page, expect.lens.file);
  await lens().waitFor({ timeout: SLOW });
  await command(page, 'Headwater: Restart Server');
  // The old lens goes with the old server; the new one draws it again.
  await page.waitForTimeout(500);
  await lens().waitFor({ timeout: SLOW });
});

await close();
console.log('end');
