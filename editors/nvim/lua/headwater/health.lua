--- `:checkhealth headwater`
local M = {}

local function server()
  vim.health.start('headwater: server')
  local cmd = require('headwater.lsp').config().cmd
  if vim.fn.has('nvim-0.11') == 1 then
    cmd = vim.lsp.config.headwater.cmd
  end
  if type(cmd) ~= 'table' then
    vim.health.info('the server is started by a function of yours')
  elseif vim.fn.executable(cmd[1]) == 0 then
    vim.health.error(('`%s` is not executable'):format(cmd[1]), {
      'install the `headwater` program and put it on PATH',
      "or say where it is: vim.g.headwater = { cmd = { '/path/to/headwater', 'lsp' } }",
    })
  else
    local version = vim.system({ cmd[1], '--version' }, { text = true }):wait(3000)
    local said = vim.trim((version.stdout or '') .. (version.stderr or ''))
    if version.code == 0 then
      vim.health.ok(('%s (%s)'):format(said, vim.fn.exepath(cmd[1])))
    else
      vim.health.warn(('`%s --version` failed: %s'):format(cmd[1], said))
    end
  end
  local clients = require('headwater.lsp').clients()
  for _, client in ipairs(clients) do
    local count = vim.tbl_count(client.attached_buffers)
    vim.health.ok(('running for %s, %d buffer(s)'):format(client.config.root_dir or '?', count))
  end
  if #clients == 0 then
    vim.health.info('not running: it starts when a datafile is opened')
  end
end

local function highlighting()
  vim.health.start('headwater: highlighting')
  local treesitter = require('headwater.treesitter')
  for _, filetype in ipairs(treesitter.filetypes) do
    local language = treesitter.language(filetype)
    if not language or not pcall(vim.treesitter.language.add, language) then
      vim.health.info(('%s: no parser, the Vim syntax file is used'):format(filetype))
    elseif not vim.treesitter.query.get(language, 'highlights') then
      vim.health.warn(('%s: parser %s has no highlight queries'):format(filetype, language))
    else
      vim.health.ok(('%s: parser %s with its queries'):format(filetype, language))
    end
  end
end

function M.check()
  vim.health.start('headwater: Neovim')
  if vim.fn.has('nvim-0.11') == 1 then
    vim.health.ok(tostring(vim.version()))
  else
    vim.health.ok(tostring(vim.version()) .. ' (configuration by vim.lsp.config needs 0.11)')
  end
  server()
  highlighting()
end

return M
