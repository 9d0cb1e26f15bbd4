// Runs inside the real extension host: the exact answers, through the editor's own API.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const vscode = require('vscode');

// The extension host's environment is the server's, so it has what the session was given.
const { HEADWATER_REPORT: report, HEADWATER_EXPECTATIONS: expectations } = process.env;
const expect = JSON.parse(fs.readFileSync(expectations, 'utf8'));
const folder = () => vscode.workspace.workspaceFolders[0].uri.fsPath;
const uri = (file) => vscode.Uri.file(path.join(folder(), file));
const relative = (u) => path.relative(folder(), u.fsPath);

async function until(what, probe) {
  for (const start = Date.now(); Date.now() - start < 20_000; ) {
    const found = await probe();
    if (found) return found;
    await new Promise((resume) => setTimeout(resume, 25));
  }
  throw new Error(`waited in vain for ${what}`);
}

async function open(file) {
  const document = await vscode.workspace.openTextDocument(uri(file));
  return vscode.window.showTextDocument(document);
}

async function place(file, at) {
  const { document } = await open(file);
  const offset = document.getText().indexOf(at.replace('|', ''));
  assert(offset >= 0, `${file} has no ${at}`);
  return document.positionAt(offset + at.indexOf('|'));
}

/** Why a check is skipped. */
const NO_ENGINE = 'there is no engine on this machine';

const ask = (provider, ...args) => vscode.commands.executeCommand(`vscode.execute${provider}`, ...args);
const messages = (u) => vscode.languages.getDiagnostics(u).map((d) => d.message);

async function lenses() {
  const all = (await ask('CodeLensProvider', uri(expect.lens.file), 100)) ?? [];
  return all.filter((lens) => expect.lens.title.every((part) => lens.command?.title.includes(part)));
}

const checks = {
  async 'extension is active'() {
    await open(expect.lens.file);
    const extension = vscode.extensions.getExtension('headwater.headwater');
    assert(extension, 'not installed');
    await until('activation', () => extension.isActive);
  },

  async 'languages'() {
    for (const file of [expect.lens.file, expect.typing.file]) {
      const { document } = await open(file);
      assert.equal(document.languageId, `headwater-${path.extname(file).slice(1)}`);
    }
  },

  async 'code lens'() {
    await open(expect.lens.file);
    const [lens] = await until('the lens', async () => {
      const found = await lenses();
      return found.length && found;
    });
    assert.equal(lens.command.command, 'headwater.showDownstream');
    const listed = lens.command.arguments[2].map((l) => relative(vscode.Uri.parse(l.uri)));
    for (const file of expect.lens.lists) assert(listed.includes(file), `${file} is not in ${listed}`);
    await vscode.commands.executeCommand(lens.command.command, ...lens.command.arguments);
  },

  async 'a document that only the server has opens'() {
    const argument = { uri: uri(expect.lens.file).toString() };
    const { uri: address } = await vscode.commands.executeCommand('headwater.view.plan', argument);
    await vscode.commands.executeCommand('headwater.showView', { uri: address, language: 'markdown' });
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(address));
    assert(document.getText().startsWith('# Deploying `'), document.getText());
    await open(expect.lens.file);
  },

  async 'no diagnostics on clean files'() {
    for (const file of expect.clean) {
      await open(file);
      await new Promise((resume) => setTimeout(resume, 300));
      assert.deepEqual(messages(uri(file)), [], file);
    }
  },

  async 'diagnostic appears while typing and vanishes'() {
    const { file, at, text, message } = expect.typing;
    const start = await place(file, at);
    const editor = vscode.window.activeTextEditor;
    for (const [i, letter] of [...text].entries()) {
      await editor.edit((edit) => edit.insert(start.translate(0, i), letter));
    }
    const found = await until(`a diagnostic that says ${message}`, () => {
      return vscode.languages.getDiagnostics(uri(file)).find((d) => d.message.includes(message));
    });
    assert.equal(found.range.start.line, start.line);
    assert(found.code, 'a diagnostic has a code');
    await editor.edit((edit) => edit.delete(new vscode.Range(start, start.translate(0, text.length))));
    await until('no diagnostics', () => messages(uri(file)).length === 0);
  },

  // The vendor's extension claims our file extensions for a language of its own; any foreign language stands for it.
  async 'works under another extension\'s language'() {
    const { file, at, text, message } = expect.typing;
    const start = await place(file, at);
    const editor = vscode.window.activeTextEditor;
    const own = editor.document.languageId;
    await vscode.languages.setTextDocumentLanguage(editor.document, 'plaintext');
    await editor.edit((edit) => edit.insert(start, text));
    await until(`a diagnostic that says ${message}`, () => messages(uri(file)).some((m) => m.includes(message)));
    await editor.edit((edit) => edit.delete(new vscode.Range(start, start.translate(0, text.length))));
    await until('no diagnostics', () => messages(uri(file)).length === 0);
    await vscode.languages.setTextDocumentLanguage(editor.document, own);
  },

  async 'hover'() {
    const { file, at, contains } = expect.hover;
    const hovers = await ask('HoverProvider', uri(file), await place(file, at));
    const text = hovers.flatMap((h) => h.contents).map((c) => c.value ?? c).join('\n');
    for (const part of contains) assert(text.includes(part), `no ${part} in ${text}`);
  },

  async 'go to definition'() {
    const { file, at, target } = expect.definition;
    const found = await ask('DefinitionProvider', uri(file), await place(file, at));
    assert.deepEqual(found.map((f) => relative(f.targetUri ?? f.uri)), [target]);
  },

  async 'document symbols'() {
    const { file, names } = expect.documentSymbols;
    await open(file);
    const flat = (list) => list.flatMap((s) => [s.name, ...flat(s.children ?? [])]);
    const found = flat((await ask('DocumentSymbolProvider', uri(file))) ?? []);
    for (const name of names) assert(found.includes(name), `no ${name} in ${found}`);
  },

  async 'workspace symbols'() {
    const { query, file } = expect.workspaceSymbols;
    const found = await ask('WorkspaceSymbolProvider', query);
    assert(found.some((s) => relative(s.location.uri) === file), JSON.stringify(found));
  },

  async 'folding'() {
    const { file, atLeast } = expect.folding;
    await open(file);
    const found = (await ask('FoldingRangeProvider', uri(file))) ?? [];
    assert(found.length >= atLeast, `${found.length} ranges`);
  },

  async 'a failing test is run, its difference seen, and its result accepted'() {
    if (!process.env.HEADWATER_CHDB) return NO_ENGINE;
    const { file, name, right, wrong, message } = expect.test;
    const { document } = await open(file);
    const editor = vscode.window.activeTextEditor;
    const swap = async (from, to) => {
      const start = document.getText().indexOf(from);
      assert(start >= 0, `${file} has no ${from}`);
      const range = new vscode.Range(document.positionAt(start), document.positionAt(start + from.length));
      await editor.edit((edit) => edit.replace(range, to));
    };
    await swap(right, wrong);
    const failures = () => vscode.languages.getDiagnostics(uri(file)).filter((d) => d.source === 'headwater test');
    await vscode.commands.executeCommand('headwater.runTest', uri(file).toString(), 'top_pages', name);
    const [failed] = await until('the failure as a diagnostic', () => failures().length && failures());
    assert(failed.message.includes(message), failed.message);
    const lens = await until('the lens of the failure', async () => {
      const all = (await ask('CodeLensProvider', uri(file), 100)) ?? [];
      return all.find((l) => l.command?.title.startsWith('✗'));
    });
    await vscode.commands.executeCommand(lens.command.command, ...lens.command.arguments);
    const shown = await vscode.workspace.openTextDocument(vscode.Uri.parse(lens.command.arguments[0].uri));
    assert(shown.getText().includes('+++ got'), shown.getText());
    await open(file);
    const actions = await ask('CodeActionProvider', uri(file), failed.range);
    const accept = actions.find((a) => a.title.startsWith('Accept the new result'));
    assert(accept?.edit, JSON.stringify(actions.map((a) => a.title)));
    await vscode.workspace.applyEdit(accept.edit);
    assert(document.getText().includes(right), document.getText());
    await until('no failure', () => failures().length === 0);
    await vscode.commands.executeCommand('workbench.action.files.revert');
  },

  async 'a preview is seen'() {
    if (!process.env.HEADWATER_CHDB) return NO_ENGINE;
    const { file, pipe, node, contains } = expect.preview;
    await open(file);
    const preview = vscode.commands.executeCommand('headwater.preview', uri(file).toString(), pipe, node);
    // The box with the request: what it offers is taken.
    await new Promise((resume) => setTimeout(resume, 1500));
    await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
    await preview;
    const shown = await until('the rows', () => {
      return vscode.workspace.textDocuments.find((d) => d.uri.scheme === 'headwater-rows');
    });
    for (const part of contains) assert(shown.getText().includes(part), shown.getText());
    await open(file);
  },

  async 'restart'() {
    await vscode.commands.executeCommand('headwater.restart');
    await until('the lens of the new server', async () => (await lenses()).length);
  },
};

exports.run = async () => {
  const lines = [];
  for (const [name, run] of Object.entries(checks)) {
    try {
      const why = await run();
      lines.push(why ? `skip ${name}: ${why}` : `ok ${name}`);
    } catch (error) {
      lines.push(`FAIL ${name}: ${String(error?.message ?? error).slice(0, 600).replaceAll('\n', ' ⏎ ')}`);
    }
  }
  // In one step: the other side polls for the file and must not read half of it.
  fs.writeFileSync(`${report}.part`, [...lines, 'end'].join('\n'));
  fs.renameSync(`${report}.part`, report);
};
