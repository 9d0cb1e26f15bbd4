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

vim.lsp.commands['headwater.runTest'] = function(command, context)
  require('headwater.tests').lens(command, context)
end

vim.lsp.commands['headwater.preview'] = function(command, context)
  require('headwater.preview').lens(command, context)
end

vim.api.nvim_create_user_command('Headwater', function(args)
  require('headwater').command(args.fargs, args.range > 0)
end, {
  nargs = '+',
  range = true,
  desc = 'Headwater: tests, previews, what is downstream, the server',
  complete = function(typed, line)
    if line:match('^%s*%S*Headwater%s+test%s') then
      return vim.tbl_filter(function(name)
        return vim.startswith(name, typed)
      end, { 'affected', 'all', 'file', 'nearest' })
    end
    return vim.tbl_filter(function(name)
      return vim.startswith(name, typed)
    end, require('headwater').subcommands())
  end,
})

-- The rest waits for the user's own configuration, which may come after this file.
vim.api.nvim_create_autocmd('FileType', {
  group = vim.api.nvim_create_augroup('headwater.start', {}),
  pattern = vim.list_extend({ 'yaml' }, kinds),
  callback = function(event)
    if event.match ~= 'yaml' or require('headwater.lsp').is_test(event.buf) then
      require('headwater').open(event.buf)
    end
  end,
})
