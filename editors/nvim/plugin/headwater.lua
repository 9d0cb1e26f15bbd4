-- Everything that must exist before the first datafile is opened, and nothing else.
if vim.g.loaded_headwater then
  return
end
vim.g.loaded_headwater = true

if vim.fn.has('nvim-0.10') == 0 then
  vim.notify('headwater needs Neovim 0.10 or newer', vim.log.levels.WARN)
  return
end

local kinds = { 'datasource', 'pipe', 'connection', 'incl' }
local extension = {}
for _, kind in ipairs(kinds) do
  extension[kind] = kind
end
vim.filetype.add({ extension = extension })

vim.lsp.commands['headwater.showDownstream'] = function(command, context)
  require('headwater.downstream').show(command, context)
end

vim.lsp.commands['headwater.showView'] = function(command, context)
  require('headwater.views').show(command, context)
end

vim.api.nvim_create_user_command('Headwater', function(args)
  require('headwater').command(args.fargs)
end, {
  nargs = '+',
  desc = 'Headwater: restart, log, status, downstream',
  complete = function(typed)
    return vim.tbl_filter(function(name)
      return vim.startswith(name, typed)
    end, require('headwater').subcommands())
  end,
})

-- The rest waits for the user's own configuration, which may come after this file.
vim.api.nvim_create_autocmd('FileType', {
  group = vim.api.nvim_create_augroup('headwater.start', {}),
  pattern = kinds,
  callback = function(event)
    require('headwater').open(event.buf)
  end,
})
