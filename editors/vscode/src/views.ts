import * as vscode from 'vscode';

interface View {
  uri: string;
  language: string;
}

/**
 * Behind lenses and actions that open a document which only the server has, such as the explanation of a plan. The language
 * client asks the server for the text of such an address by itself; what is left is to show it the way it reads best.
 */
export async function showView({ uri, language }: View): Promise<void> {
  const address = vscode.Uri.parse(uri);
  if (language === 'markdown') {
    await vscode.commands.executeCommand('markdown.showPreviewToSide', address);
    return;
  }
  const document = await vscode.workspace.openTextDocument(address);
  const shown = await vscode.languages.setTextDocumentLanguage(document, language);
  await vscode.window.showTextDocument(shown, { viewColumn: vscode.ViewColumn.Beside, preview: true });
}
