import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import type { Client } from './client';

interface Position {
  line: number;
  character: number;
}

interface Range {
  start: Position;
  end: Position;
}

interface TestResult {
  uri: string;
  id: string;
  status: 'passed' | 'failed' | 'skipped';
  elapsed: number;
  message: string;
  expected: string | null;
  actual: string | null;
  notes: string[];
  place: Range | null;
}

interface TestItem {
  id: string;
  range: Range;
  skip: string | null;
  problem: string | null;
}

interface TestFile {
  uri: string;
  path: string;
  tests: TestItem[];
}

/** Tests of a file; all of them without `ids`. Of a pipe, those that ask it. */
interface Chosen {
  uri: string;
  ids?: string[];
}

const range = ({ start, end }: Range) => new vscode.Range(start.line, start.character, end.line, end.character);

/** The server's tests in the editor's own list of tests. Which there are, what is run and what came of it: the server says. */
export class Tests implements vscode.Disposable {
  private readonly controller = vscode.tests.createTestController('headwater', 'Headwater');
  private readonly runs = new Map<string, vscode.TestRun>();
  private readonly owned: vscode.Disposable[] = [this.controller];
  private count = 0;

  constructor(private readonly client: Client) {
    const run = (request: vscode.TestRunRequest, token: vscode.CancellationToken) => this.run(request, token);
    this.controller.createRunProfile('Run', vscode.TestRunProfileKind.Run, run, true);
    this.controller.refreshHandler = () => this.discover();
    this.owned.push(client.onStarted((language) => this.attach(language)));
  }

  /** Behind the lens `▷ Run`. */
  async runLens(uri: string, _pipe: string, id: string | null): Promise<void> {
    await this.start(new vscode.TestRunRequest(), [{ uri, ...(id === null ? {} : { ids: [id] }) }]);
  }

  async runAffected(): Promise<void> {
    await this.start(new vscode.TestRunRequest(), undefined, true);
  }

  /** The test, or the file's failed tests, expect from now on what came back. */
  async accept(item: vscode.TestItem): Promise<void> {
    const language = this.client.language();
    if (!language || !item.uri) return;
    const chosen = item.parent ? { uri: item.parent.id, ids: [label(item)] } : { uri: item.id };
    const params = { command: 'headwater.acceptResult', arguments: [chosen] };
    try {
      const edit = await language.sendRequest<unknown>('workspace/executeCommand', params);
      const converted = await language.protocol2CodeConverter.asWorkspaceEdit(edit as never);
      if (converted) await vscode.workspace.applyEdit(converted);
    } catch (error) {
      void vscode.window.showWarningMessage(`Headwater: ${message(error)}`);
    }
  }

  dispose(): void {
    for (const owned of this.owned) owned.dispose();
  }

  private attach(language: LanguageClient): void {
    language.onNotification('headwater/tests/result', ({ run, result }: { run: unknown; result: TestResult }) => {
      this.show(typeof run === 'string' ? this.runs.get(run) : undefined, result);
    });
    language.onNotification('headwater/tests/changed', ({ uris }: { uris: string[] }) => {
      for (const uri of uris) void this.discover(uri);
    });
    void this.discover();
  }

  private async discover(uri?: string): Promise<void> {
    const language = this.client.language();
    if (!language) return;
    const params = uri === undefined ? {} : { textDocument: { uri } };
    const { files } = await language.sendRequest<{ files: TestFile[] }>('headwater/tests/discover', params);
    const items = files.map((file) => this.item(file));
    if (uri === undefined) {
      this.controller.items.replace(items);
    } else if (items.length === 0) {
      this.controller.items.delete(uri);
    } else {
      for (const item of items) this.controller.items.add(item);
    }
  }

  private item(file: TestFile): vscode.TestItem {
    const uri = vscode.Uri.parse(file.uri);
    const item = this.controller.createTestItem(file.uri, file.path, uri);
    for (const test of file.tests) {
      const child = this.controller.createTestItem(`${file.uri}#${test.id}`, test.id, uri);
      child.range = range(test.range);
      if (test.skip) child.description = `skipped: ${test.skip}`;
      if (test.problem) child.error = test.problem;
      item.children.add(child);
    }
    return item;
  }

  private async run(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
    const chosen = request.include?.map((item): Chosen => {
      return item.parent ? { uri: item.parent.id, ids: [label(item)] } : { uri: item.id };
    });
    await this.start(request, chosen, false, token);
  }

  private async start(
    request: vscode.TestRunRequest,
    tests: Chosen[] | undefined,
    affected = false,
    token?: vscode.CancellationToken,
  ): Promise<void> {
    const language = this.client.language();
    if (!language) return;
    const name = `run ${(this.count += 1)}`;
    const run = this.controller.createTestRun(request);
    const either = new vscode.CancellationTokenSource();
    token?.onCancellationRequested(() => either.cancel());
    run.token.onCancellationRequested(() => either.cancel());
    this.runs.set(name, run);
    for (const item of request.include ?? []) {
      item.children.forEach((child) => run.started(child));
      run.started(item);
    }
    try {
      await language.sendRequest('headwater/tests/run', { run: name, tests, affected }, either.token);
    } catch (error) {
      if (!either.token.isCancellationRequested) {
        run.appendOutput(`${message(error)}\r\n`);
        void vscode.window.showWarningMessage(`Headwater: ${message(error)}`);
      }
    } finally {
      this.runs.delete(name);
      run.end();
      either.dispose();
    }
  }

  /** A result of a run, or of a test that ran because of an edit: that one is a run of its own, which nobody keeps. */
  private show(known: vscode.TestRun | undefined, result: TestResult): void {
    const item = this.controller.items.get(result.uri)?.children.get(`${result.uri}#${result.id}`);
    if (!item) return;
    const run = known ?? this.controller.createTestRun(new vscode.TestRunRequest([item]), 'after an edit', false);
    const took = result.elapsed * 1000;
    if (result.status === 'passed') run.passed(item, took);
    if (result.status === 'skipped') run.skipped(item);
    if (result.status === 'failed') {
      const { expected, actual } = result;
      const said =
        expected !== null && actual !== null
          ? vscode.TestMessage.diff(result.message, expected, actual)
          : new vscode.TestMessage(result.message);
      if (item.uri && result.place) said.location = new vscode.Location(item.uri, range(result.place));
      run.failed(item, said, took);
    }
    for (const note of result.notes) run.appendOutput(`${result.id}: ${note}\r\n`, undefined, item);
    if (!known) run.end();
  }
}

/** The name of a test: what follows the file's address in its identifier. */
const label = (item: vscode.TestItem) => item.id.slice((item.parent?.id.length ?? -1) + 1);

const message = (error: unknown) => (error instanceof Error ? error.message : String(error));
