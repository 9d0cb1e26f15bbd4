import * as vscode from 'vscode';
import {
  DidChangeConfigurationNotification,
  LanguageClient,
  RevealOutputChannelOn,
  State,
  type DocumentSelector,
} from 'vscode-languageclient/node';
import { findServer } from './server';

/** Bumped together with the server's when the two would misunderstand each other. */
const PROTOCOL = 1;

const LANGUAGES = ['datasource', 'pipe', 'connection', 'incl'];

/**
 * Files by name as well as by language: the vendor's extension claims the same file extensions under a language of its
 * own, and whichever of the two wins, the server must see the file.
 */
const SELECTOR: DocumentSelector = [
  { scheme: 'file', pattern: `**/*.{${LANGUAGES.join(',')}}` },
  ...LANGUAGES.map((kind) => ({ scheme: 'file', language: `headwater-${kind}` })),
  // Tests, and the rows that they and previews are made on: what is typed into them counts before it is saved.
  { scheme: 'file', pattern: '**/tests/**/*.{yaml,yml}' },
  { scheme: 'file', pattern: '**/fixtures/*.{ndjson,jsonl,csv,sql}' },
];

/** The one server process of this window, and its log and status item. */
export class Client implements vscode.Disposable {
  readonly log = vscode.window.createOutputChannel('Headwater', { log: true });
  private readonly item = vscode.languages.createLanguageStatusItem('headwater', SELECTOR as vscode.DocumentSelector);
  private running: LanguageClient | undefined;
  private readonly started = new vscode.EventEmitter<LanguageClient>();
  /** A server answers; again after each restart. */
  readonly onStarted = this.started.event;
  /** Starts and stops are queued: a restart asked for during a start must not leave two servers. */
  private queue: Promise<void> = Promise.resolve();

  constructor(private readonly context: vscode.ExtensionContext) {
    this.item.name = 'Headwater';
    this.item.command = { command: 'headwater.showStatus', title: 'Show status' };
  }

  start(): Promise<void> {
    return this.then(() => this.doStart());
  }

  stop(): Promise<void> {
    return this.then(() => this.doStop());
  }

  restart(): Promise<void> {
    return this.then(async () => {
      await this.doStop();
      await this.doStart();
    });
  }

  /** The user trusted the folder after the server had started. */
  async trusted(): Promise<void> {
    const settings = { headwater: { trusted: true } };
    if (this.running?.isRunning()) {
      await this.running.sendNotification(DidChangeConfigurationNotification.type, { settings });
    }
  }

  /** The server's own account of itself, in Markdown; `undefined` when no server answers. */
  async status(): Promise<string | undefined> {
    if (!this.running?.isRunning()) return undefined;
    const { text } = await this.running.sendRequest<{ text: string }>('headwater/status');
    return text;
  }

  /** The client of the server that runs. */
  language(): LanguageClient | undefined {
    return this.running?.isRunning() ? this.running : undefined;
  }

  dispose(): void {
    this.started.dispose();
    this.item.dispose();
    this.log.dispose();
  }

  private then(step: () => Promise<void>): Promise<void> {
    return (this.queue = this.queue.then(step));
  }

  private async doStart(): Promise<void> {
    const server = findServer(this.context);
    const extra = vscode.workspace.getConfiguration('headwater').get<Record<string, string>>('server.extraEnv', {});
    const language = new LanguageClient(
      'headwater',
      'Headwater',
      { command: server, args: ['lsp'], options: { env: { ...process.env, ...extra } } },
      {
        documentSelector: SELECTOR,
        outputChannel: this.log,
        revealOutputChannelOn: RevealOutputChannelOn.Never,
        initializationOptions: {
          clientCommands: ['headwater.showDownstream', 'headwater.showView', 'headwater.runTest', 'headwater.preview'],
          protocol: PROTOCOL,
          trusted: vscode.workspace.isTrusted,
        },
      },
    );
    language.onDidChangeState(({ newState }) => this.show(newState));
    this.running = language;
    this.log.info(`starting ${server}`);
    try {
      await language.start();
      this.started.fire(language);
    } catch (error) {
      this.failed(server, error instanceof Error ? error.message : String(error));
    }
  }

  private async doStop(): Promise<void> {
    const language = this.running;
    this.running = undefined;
    // A server that died on its own cannot be asked to shut down; that is no reason not to start the next.
    await language?.dispose().catch((error: unknown) => this.log.warn(String(error)));
  }

  private show(state: State): void {
    const { Error: failed, Information: fine } = vscode.LanguageStatusSeverity;
    this.item.busy = state === State.Starting;
    this.item.severity = state === State.Stopped ? failed : fine;
    this.item.text = state === State.Stopped ? 'Headwater: stopped' : 'Headwater';
  }

  private failed(server: string, reason: string): void {
    this.log.error(`cannot start ${server}: ${reason}`);
    this.show(State.Stopped);
    const buttons = ['Show Logs', 'Settings'] as const;
    const message = `Headwater cannot start its server (${server}).`;
    // Not awaited: the message may stay open for hours.
    void vscode.window.showErrorMessage(message, ...buttons).then((choice) => {
      if (choice === 'Show Logs') this.log.show();
      if (choice === 'Settings') void vscode.commands.executeCommand('workbench.action.openSettings', 'headwater.server');
    });
  }
}
