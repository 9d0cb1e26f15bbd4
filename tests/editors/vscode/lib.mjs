// What both VS Code sessions need: a browser on the workbench, checks, and the keyboard's way around.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

const { env } = process;
const { chromium } = createRequire(path.join(env.HEADWATER_PLAYWRIGHT, 'package.json'))('playwright-core');

export const project = env.HEADWATER_PROJECT;
export const expect = JSON.parse(fs.readFileSync(env.HEADWATER_EXPECTATIONS, 'utf8'));
export const SLOW = 30_000;

/** Headless Chromium on `url`, with everything outside this machine blocked: the product must not need it. */
export async function browser(url) {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'hw-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: env.HEADWATER_CHROMIUM,
    headless: true,
    viewport: { width: 1280, height: 800 },
    locale: 'en-US',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
  const outside = (u) => u.protocol.startsWith('http') && !['127.0.0.1', 'localhost'].includes(u.hostname);
  await context.route(outside, (route) => route.abort());
  const page = context.pages()[0] ?? (await context.newPage());
  await page.goto(url, { waitUntil: 'domcontentloaded' });
  const close = async () => {
    await context.close();
    fs.rmSync(profile, { recursive: true, force: true });
  };
  return { page, close };
}

/** The workbench with the project opened, usable. */
export async function workbench(payload = []) {
  const query = `folder=${encodeURI(project)}&payload=${encodeURIComponent(JSON.stringify(payload))}`;
  return browser(`${env.HEADWATER_CODE}/?${query}`);
}

/** Before this row is there, the workbench loses keys. */
export const ready = (page) => page.waitForSelector('.explorer-folders-view .monaco-list-row', { timeout: 2 * SLOW });

/** Runs one check and prints `ok NAME` or `FAIL NAME: WHY`; keeps a picture of a failure. */
export function checker(page) {
  return async (name, run) => {
    try {
      await run();
      console.log(`ok ${name}`);
    } catch (error) {
      console.log(`FAIL ${name}: ${String(error?.message ?? error).slice(0, 600).replaceAll('\n', ' ⏎ ')}`);
      const picture = path.join(env.HEADWATER_OUT, `vscode-${name.replace(/\W+/g, '-')}.png`);
      await page.screenshot({ path: picture }).catch(() => {});
    }
  };
}

/** Picks the entry that contains `wanted` in the list that is open, and not before it is there. */
async function pick(page, typed, wanted) {
  await page.waitForSelector('.quick-input-widget input', { state: 'visible', timeout: SLOW });
  await page.keyboard.type(typed);
  const row = page.locator('.quick-input-list .monaco-list-row', { hasText: wanted }).first();
  await row.waitFor({ timeout: SLOW });
  await page.keyboard.press('Enter');
  await page.locator('.quick-input-widget').waitFor({ state: 'hidden', timeout: SLOW });
}

export async function openFile(page, file) {
  const name = path.basename(file);
  await page.keyboard.press('Control+P');
  await pick(page, name, name);
  await page.locator('.tab.active', { hasText: name }).waitFor({ timeout: SLOW });
}

export async function command(page, title) {
  await page.keyboard.press('F1');
  await pick(page, title, title);
}

/** Zero-based line and character of the `|` in `at`, as the file is on disk. */
export function place(file, at) {
  const text = fs.readFileSync(path.join(project, file), 'utf8');
  const offset = text.indexOf(at.replace('|', ''));
  if (offset < 0) throw new Error(`${file} has no ${at}`);
  const lines = text.slice(0, offset + at.indexOf('|')).split('\n');
  return { line: lines.length - 1, character: lines.at(-1).length };
}

/** Puts the cursor of the active editor there. */
export async function goTo(page, { line, character }) {
  await page.keyboard.press('Control+G');
  await page.waitForSelector('.quick-input-widget input', { state: 'visible', timeout: SLOW });
  const [row, column] = [line + 1, character + 1];
  await page.keyboard.type(`${row}:${column}`);
  // Enter is lost on a list that is not filled yet.
  const entry = page.locator('.quick-input-list .monaco-list-row', { hasText: `line ${row} at column ${column}` });
  await entry.waitFor({ timeout: SLOW });
  await page.keyboard.press('Enter');
  await page.locator('.statusbar-item', { hasText: `Ln ${row}, Col ${column}` }).waitFor({ timeout: SLOW });
}
