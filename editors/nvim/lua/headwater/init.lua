--- The plugin's options and its `:Headwater` subcommands.
local M = {}

---@class headwater.Options
---@field cmd string[] How to start the server.
---@field env table<string, string> Environment for the server, on top of Neovim's own.
---@field trusted boolean|fun(root: string?): boolean May the server run code of this project? A cloned repository is not trusted.
---@field codelens boolean Draw what flows downstream above every resource.
---@field treesitter boolean Highlight and fold by tree-sitter where a parser is installed.
---@field downstream 'loclist'|'select' Where the list of a lens opens.
---@field autostart boolean Start the server when a datafile is opened.
local defaults = {
  cmd = { 'headwater', 'lsp' },
  env = {},
  trusted = false,
  codelens = true,
  treesitter = true,
  downstream = 'loclist',
  autostart = true,
}

---@type headwater.Options?
local options

--- Options are read lazily, from `setup()` or from `vim.g.headwater`: the plugin works without either.
---@return headwater.Options
function M.options()
  options = options or vim.tbl_deep_extend('force', defaults, vim.g.headwater or {})
  return options
end

---@param opts headwater.Options?
function M.setup(opts)
  options = vim.tbl_deep_extend('force', defaults, vim.g.headwater or {}, opts or {})
end

--- A datafile came into `buf`, or a file with tests.
function M.open(buf)
  local opts = M.options()
  if opts.treesitter and vim.bo[buf].filetype ~= 'yaml' then
    require('headwater.treesitter').start(buf)
  end
  if opts.autostart then
    require('headwater.lsp').start(buf)
  end
end

local subcommands = {
  restart = function()
    require('headwater.lsp').restart()
  end,
  log = function()
    local path = vim.lsp.log and vim.lsp.log.get_filename and vim.lsp.log.get_filename() or vim.lsp.get_log_path()
    vim.cmd.tabedit({ args = { path }, magic = { file = false } })
    vim.cmd.normal({ 'G', bang = true })
  end,
  status = function()
    require('headwater.lsp').status()
  end,
  downstream = function()
    require('headwater.downstream').at_cursor()
  end,
  test = function(words)
    require('headwater.tests').command(words[1])
  end,
  diff = function()
    require('headwater.tests').diff()
  end,
  accept = function()
    require('headwater.tests').accept()
  end,
  preview = function(words, range)
    require('headwater.preview').command(words, range)
  end,
}

---@return string[]
function M.subcommands()
  local names = vim.tbl_keys(subcommands)
  table.sort(names)
  return names
end

---@param args string[]
---@param range boolean? Something is selected.
function M.command(args, range)
  local run = subcommands[args[1]]
  if not run then
    M.warn(('unknown subcommand %s; there are %s'):format(args[1], table.concat(M.subcommands(), ', ')))
    return
  end
  run(vim.list_slice(args, 2), range)
end

function M.warn(message)
  vim.notify('headwater: ' .. message, vim.log.levels.WARN)
end

return M
