// The extension knows how to start the server and nothing about datafiles: all knowledge lives in the server.
import * as vscode from 'vscode';
import { Client } from './client';
import { showDownstream } from './downstream';
import { Preview } from './preview';
import { StatusDocument } from './status';
import { Tests } from './tests';
import { showView } from './views';

let client: Client | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const active = (client = new Client(context));
  const status = new StatusDocument(active);
  const tests = new Tests(active);
  const preview = new Preview(active, context.workspaceState);
  context.subscriptions.push(
    active,
    status,
    tests,
    preview,
    vscode.commands.registerCommand('headwater.restart', () => active.restart()),
    vscode.commands.registerCommand('headwater.showLogs', () => active.log.show()),
    vscode.commands.registerCommand('headwater.showStatus', () => status.show()),
    vscode.commands.registerCommand('headwater.showDownstream', showDownstream),
    vscode.commands.registerCommand('headwater.showView', showView),
    vscode.commands.registerCommand('headwater.runTest', (uri: string, pipe: string, id: string | null) =>
      tests.runLens(uri, pipe, id),
    ),
    vscode.commands.registerCommand('headwater.preview', (uri: string, pipe: string, node: string | null) =>
      preview.show(uri, pipe, node),
    ),
    vscode.commands.registerCommand('headwater.runAffectedTests', () => tests.runAffected()),
    vscode.commands.registerCommand('headwater.acceptTest', (item: vscode.TestItem) => tests.accept(item)),
    vscode.workspace.onDidGrantWorkspaceTrust(() => active.trusted()),
    vscode.workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration('headwater.server')) await active.restart();
    }),
  );
  await active.start();
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}
