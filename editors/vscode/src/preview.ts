import * as vscode from 'vscode';
import type { Client } from './client';

const SCHEME = 'headwater-rows';

interface Parameter {
  name: string;
  type: string | null;
  required: boolean;
  default: string | null;
  value: string[] | null;
}

/** What a node gives, as a read-only document beside the file. */
export class Preview implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  private readonly texts = new Map<string, string>();
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly client: Client,
    private readonly memory: vscode.Memento,
  ) {}

  /** Behind the lens `▷ Preview`: asks for the request where the node takes one, and shows the rows. */
  async show(uri: string, pipe: string, node: string | null): Promise<void> {
    const language = this.client.language();
    if (!language) return;
    const named = node === null ? {} : { node };
    try {
      const asked = await this.request(uri, named);
      if (asked === undefined) return;
      const argument = { uri, ...named, parameters: asked };
      const params = { command: 'headwater.view.preview', arguments: [argument] };
      const title = node === null ? pipe : `${pipe}:${node}`;
      const options = { location: vscode.ProgressLocation.Notification, title: `Preview of ${title}`, cancellable: true };
      const { text } = await vscode.window.withProgress(options, (_, token) =>
        language.sendRequest<{ text: string }>('workspace/executeCommand', params, token),
      );
      await this.open(title, text);
    } catch (error) {
      if (error instanceof vscode.CancellationError) return;
      void vscode.window.showWarningMessage(`Headwater: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.path) ?? 'Run the preview again: this window has no rows any more.\n';
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }

  /** The values to ask with; `undefined` when the user gave up. What was typed last is offered, in the next window too. */
  private async request(uri: string, named: { node?: string }): Promise<Record<string, string[]> | undefined> {
    const params = { textDocument: { uri }, ...named };
    const language = this.client.language();
    const found = await language?.sendRequest<{ parameters: Parameter[] }>('headwater/preview/parameters', params);
    const parameters = found?.parameters ?? [];
    if (parameters.length === 0) return {};
    const key = `preview:${uri}`;
    const offered = new URLSearchParams();
    for (const { name, value } of parameters) for (const one of value ?? []) offered.append(name, one);
    const typed = await vscode.window.showInputBox({
      title: 'Request',
      prompt: `name=value&… of ${parameters.map((p) => (p.type ? `${p.name} ${p.type}` : p.name)).join(' · ')}`,
      value: this.memory.get<string>(key) ?? decodeURIComponent(offered.toString()),
    });
    if (typed === undefined) return undefined;
    await this.memory.update(key, typed);
    const values: Record<string, string[]> = {};
    for (const [name, value] of new URLSearchParams(typed)) (values[name] ??= []).push(value);
    return values;
  }

  private async open(title: string, text: string): Promise<void> {
    const address = vscode.Uri.from({ scheme: SCHEME, path: `/${title}` });
    this.texts.set(address.path, text);
    this.changed.fire(address);
    const document = await vscode.workspace.openTextDocument(address);
    const options = { viewColumn: vscode.ViewColumn.Beside, preview: true, preserveFocus: true };
    await vscode.window.showTextDocument(document, options);
  }
}
