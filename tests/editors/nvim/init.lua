-- A user's whole configuration: the plugin on the runtimepath and the server under test.
vim.opt.runtimepath:prepend(vim.env.HEADWATER_NVIM)
vim.opt.swapfile = false
vim.opt.shadafile = 'NONE'
-- Where there is an engine, tests and previews run on it.
vim.g.headwater = { cmd = { vim.env.HEADWATER_SERVER, 'lsp' }, trusted = vim.env.HEADWATER_CHDB ~= nil }
vim.diagnostic.config({ virtual_text = true, severity_sort = true })

if vim.env.HEADWATER_SESSION then
  -- Once Neovim is up, as for a user: `-S` would run it before, when several things behave otherwise.
  vim.api.nvim_create_autocmd('VimEnter', {
    callback = vim.schedule_wrap(function()
      dofile(vim.env.HEADWATER_SESSION)
    end),
  })
end
