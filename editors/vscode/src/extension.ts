// The extension knows how to start the server and nothing about datafiles: all knowledge lives in the server.
import * as vscode from 'vscode';
import { Client } from './client';
import { showDownstream } from './downstream';
import { StatusDocument } from './status';
import { showView } from './views';

let client: Client | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const active = (client = new Client(context));
  const status = new StatusDocument(active);
  context.subscriptions.push(
    active,
    status,
    vscode.commands.registerCommand('headwater.restart', () => active.restart()),
    vscode.commands.registerCommand('headwater.showLogs', () => active.log.show()),
    vscode.commands.registerCommand('headwater.showStatus', () => status.show()),
    vscode.commands.registerCommand('headwater.showDownstream', showDownstream),
    vscode.commands.registerCommand('headwater.showView', showView),
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
