-- Found by `vim.lsp.config` (Neovim 0.11): the ground on which a user's own `vim.lsp.config('headwater', {…})` is laid.
return require('headwater.lsp').config()
