import * as vscode from 'vscode';
import type { Client } from './client';

const SCHEME = 'headwater-status';
const STATUS = vscode.Uri.from({ scheme: SCHEME, path: '/Headwater status.md' });

/** The server's status as a read-only Markdown page, asked anew each time it is shown. */
export class StatusDocument implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  readonly onDidChange = this.changed.event;

  constructor(private readonly client: Client) {}

  async show(): Promise<void> {
    this.changed.fire(STATUS);
    await vscode.commands.executeCommand('markdown.showPreview', STATUS);
  }

  async provideTextDocumentContent(): Promise<string> {
    try {
      return (await this.client.status()) ?? 'The server is not running. **Headwater: Show Logs** says why.';
    } catch (error) {
      return `The server did not answer: ${String(error)}`;
    }
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }
}
