import * as fs from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';

/**
 * The server to start: the setting (which only the user can make, not a workspace), else the one packed into this
 * extension, else the one on PATH.
 */
export function findServer(context: vscode.ExtensionContext): string {
  const configured = vscode.workspace.getConfiguration('headwater').get<string>('server.path', '').trim();
  if (configured) return configured;
  const name = process.platform === 'win32' ? 'headwater.exe' : 'headwater';
  const bundled = path.join(context.extensionPath, 'server', name);
  return [bundled, ...onPath(name)].find(isFile) ?? name;
}

/** Relative entries of PATH are skipped: they would let the opened folder choose the program. */
function onPath(name: string): string[] {
  const dirs = (process.env['PATH'] ?? '').split(path.delimiter);
  return dirs.filter((dir) => path.isAbsolute(dir)).map((dir) => path.join(dir, name));
}

function isFile(file: string): boolean {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}
