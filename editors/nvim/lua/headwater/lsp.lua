--- The server: its configuration, start, restart and status.
local M = {}

--- Bumped together with the server's when the two would misunderstand each other.
local PROTOCOL = 1

local project_files = { 'headwater.toml', 'tinybird.config.json', '.tinyenv', '.tinyb' }
local project_folders = {
  connections = true,
  copies = true,
  datasources = true,
  endpoints = true,
  includes = true,
  materializations = true,
  pipes = true,
  playgrounds = true,
  sinks = true,
}

--- Whether a buffer is a project's file with tests: `tests/*.yaml` beside what makes a folder a project.
---@param buf integer
function M.is_test(buf)
  local name = vim.api.nvim_buf_get_name(buf)
  return name:find('/tests/.*%.ya?ml$') ~= nil and M.project_of_test(name) ~= nil
end

--- The project that a file below a folder `tests` belongs to.
---@param name string
---@return string?
function M.project_of_test(name)
  for dir in vim.fs.parents(name) do
    if vim.fs.basename(dir) == 'tests' then
      local root = vim.fs.dirname(dir)
      for entry, kind in vim.fs.dir(root) do
        if vim.tbl_contains(project_files, entry) or kind == 'directory' and project_folders[entry] then
          return root
        end
      end
    end
  end
end

--- The project's folder: where its configuration is, else above the customary folders, else the repository. None for
--- a buffer without a file: such a buffer gets no server, since everything the server says is about a project.
---@param buf integer
---@return string?
function M.root(buf)
  local name = vim.api.nvim_buf_get_name(buf)
  if name == '' then
    return nil
  end
  -- Of other YAML nobody wants to hear anything.
  if vim.bo[buf].filetype == 'yaml' then
    return M.is_test(buf) and (vim.fs.root(buf, project_files) or M.project_of_test(name)) or nil
  end
  local root = vim.fs.root(buf, project_files)
  if root then
    return root
  end
  for dir in vim.fs.parents(name) do
    if project_folders[vim.fs.basename(dir)] then
      return vim.fs.dirname(dir)
    end
  end
  return vim.fs.root(buf, '.git') or vim.fs.dirname(name)
end

---@param root string?
local function trusted(root)
  local answer = require('headwater').options().trusted
  if type(answer) == 'function' then
    return answer(root) == true
  end
  return answer == true
end

--- What `vim.lsp.config` (0.11) takes; for `vim.lsp.start` (0.10) `root_dir` must be a string.
function M.config()
  local opts = require('headwater').options()
  return {
    name = 'headwater',
    cmd = opts.cmd,
    cmd_env = opts.env,
    filetypes = { 'datasource', 'pipe', 'connection', 'incl', 'yaml' },
    -- The server's names of the kinds, the same from every editor.
    get_language_id = function(_, filetype)
      return filetype == 'yaml' and 'yaml' or 'headwater-' .. filetype
    end,
    handlers = {
      ['headwater/tests/result'] = function(...)
        require('headwater.tests').on_result(...)
      end,
      -- The list of tests is asked for when somebody runs one.
      ['headwater/tests/changed'] = function() end,
    },
    init_options = {
      clientCommands = {
        'headwater.showDownstream',
        'headwater.showView',
        'headwater.runTest',
        'headwater.preview',
      },
      protocol = PROTOCOL,
    },
    before_init = function(params, config)
      params.initializationOptions = vim.tbl_extend('force', params.initializationOptions or {}, {
        trusted = trusted(config.root_dir),
      })
    end,
    root_dir = function(buf, start)
      local root = M.root(buf)
      if root then
        start(root)
      end
    end,
    on_attach = M.on_attach,
  }
end

---@param client vim.lsp.Client
---@param buf integer
function M.on_attach(client, buf)
  if not require('headwater').options().codelens then
    return
  end
  if not M.call(client, 'supports_method', 'textDocument/codeLens') then
    return
  end
  if vim.lsp.codelens.enable then
    vim.lsp.codelens.enable(true, { bufnr = buf })
    return
  end
  -- Before 0.12 nobody asks for lenses unless told to.
  vim.lsp.codelens.refresh({ bufnr = buf })
  vim.api.nvim_create_autocmd({ 'BufEnter', 'InsertLeave', 'TextChanged', 'BufWritePost' }, {
    group = vim.api.nvim_create_augroup('headwater.codelens.' .. buf, {}),
    buffer = buf,
    callback = function()
      vim.lsp.codelens.refresh({ bufnr = buf })
    end,
  })
end

--- Starts the server for `buf`, or attaches `buf` to the one of the same project.
---@param buf integer
function M.start(buf)
  if vim.bo[buf].buftype ~= '' then
    return
  end
  local registry = vim.fn.has('nvim-0.11') == 1
  -- Through the registry, so that the user's own `vim.lsp.config('headwater', {…})` has the last word.
  local config = registry and vim.lsp.config.headwater or M.config()
  if type(config.cmd) == 'table' and vim.fn.executable(config.cmd[1]) == 0 then
    M.missing(config.cmd[1])
  elseif not registry then
    config.root_dir = M.root(buf)
    if config.root_dir then
      vim.lsp.start(config, { bufnr = buf })
    end
  elseif not M.enabled then
    -- From here on Neovim attaches every datafile by itself, this one included.
    M.enabled = true
    vim.lsp.enable('headwater')
  end
end

--- Said once: a message per opened file would be worse than no server.
function M.missing(program)
  M.missing = function() end
  require('headwater').warn(('`%s` is not executable; see :checkhealth headwater'):format(program))
end

---@param buf integer?
---@return vim.lsp.Client[]
function M.clients(buf)
  return vim.lsp.get_clients({ name = 'headwater', bufnr = buf })
end

--- Stops every server, and starts one again for every datafile that had one.
function M.restart()
  local buffers = {}
  for _, client in ipairs(M.clients()) do
    vim.list_extend(buffers, vim.tbl_keys(client.attached_buffers))
    M.call(client, 'stop')
  end
  if #buffers == 0 then
    buffers = { vim.api.nvim_get_current_buf() }
  end
  local patience = 30
  -- A new server is only started when the old one is gone: Neovim would hand out the old one again.
  local function start()
    local left = M.clients()
    if #left > 0 then
      patience = patience - 1
      if patience == 0 then
        for _, client in ipairs(left) do
          M.call(client, 'stop', true)
        end
      end
      vim.defer_fn(start, 100)
      return
    end
    if M.enabled then
      vim.lsp.enable('headwater', false)
      M.enabled = false
    end
    for _, buf in ipairs(buffers) do
      if vim.api.nvim_buf_is_valid(buf) then
        M.start(buf)
      end
    end
  end
  start()
end

--- Shows what the server says of itself in a floating window.
function M.status()
  local client = M.clients(vim.api.nvim_get_current_buf())[1] or M.clients()[1]
  if not client then
    require('headwater').warn('no server is running; see :checkhealth headwater')
    return
  end
  local function show(error, result)
    if error then
      require('headwater').warn(error.message)
      return
    end
    local lines = vim.split(result.text, '\n', { trimempty = true })
    vim.lsp.util.open_floating_preview(lines, 'markdown', { border = 'rounded', title = 'Headwater' })
  end
  M.call(client, 'request', 'headwater/status', vim.empty_dict(), show)
end

--- A client's functions are plain in 0.10 and methods from 0.11 on.
---@param client vim.lsp.Client
---@param name string
function M.call(client, name, ...)
  if vim.fn.has('nvim-0.11') == 1 then
    return client[name](client, ...)
  end
  return client[name](...)
end

return M
