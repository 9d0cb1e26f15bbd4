import * as vscode from 'vscode';

interface LspPosition {
  line: number;
  character: number;
}

interface LspLocation {
  uri: string;
  range: { start: LspPosition; end: LspPosition };
}

const position = ({ line, character }: LspPosition) => new vscode.Position(line, character);

/**
 * Behind every "→ 2 nodes · 1 endpoint" lens. The server speaks LSP, the editor's reference list wants its own classes,
 * and the protocol has no command that both know: hence this one.
 */
export async function showDownstream(uri: string, at: LspPosition, locations: LspLocation[]): Promise<void> {
  const found = locations.map(({ uri, range }) => {
    return new vscode.Location(vscode.Uri.parse(uri), new vscode.Range(position(range.start), position(range.end)));
  });
  await vscode.commands.executeCommand('editor.action.showReferences', vscode.Uri.parse(uri), position(at), found);
}
