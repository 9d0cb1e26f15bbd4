--- Tests: running them, and what came of it, as diagnostics (which the server sends) and as a quickfix list.
local M = {}

local lsp = require('headwater.lsp')
local warn = require('headwater').warn

local count = 0
---@type table<string, { failed: table[] }>
local runs = {}

---@param buf integer
---@return vim.lsp.Client?
local function client_of(buf)
  local client = lsp.clients(buf)[1]
  if not client then
    warn('no server is attached to this buffer')
  end
  return client
end

--- What the server says of each test as it ends; `run` is null for tests that ran because of an edit.
function M.on_result(_, params)
  local run = runs[params.run]
  if run and params.result.status == 'failed' then
    table.insert(run.failed, params.result)
  end
end

--- Failures as a quickfix list: the first line of each says what differs.
local function list(title, failed)
  local items = {}
  for _, result in ipairs(failed) do
    local place = result.place ~= vim.NIL and result.place or nil
    table.insert(items, {
      filename = vim.uri_to_fname(result.uri),
      lnum = place and place.start.line + 1 or 1,
      col = place and place.start.character + 1 or 1,
      type = 'E',
      text = ('%s: %s'):format(result.id, (result.message:gsub('%s*\n%s*', ' · '))),
    })
  end
  vim.fn.setqflist({}, ' ', { title = title, items = items })
  if #items > 0 then
    vim.cmd.copen({ count = math.min(#items, 10) })
    vim.cmd.wincmd('p')
  else
    vim.cmd.cclose()
  end
end

--- Runs tests and shows what came of it.
---@param client vim.lsp.Client
---@param buf integer
---@param params table Without `run`.
---@param done fun(answer: table)?
function M.run(client, buf, params, done)
  count = count + 1
  local name = 'nvim ' .. count
  runs[name] = { failed = {} }
  params.run = name
  lsp.call(client, 'request', 'headwater/tests/run', params, function(error, answer)
    local run = runs[name]
    runs[name] = nil
    if error then
      warn(error.message)
      return
    end
    local title = ('%d passed, %d failed, %d skipped (%.0f ms)'):format(
      answer.passed,
      answer.failed,
      answer.skipped,
      answer.elapsed * 1000
    )
    list('Headwater: ' .. title, run.failed)
    vim.notify('headwater: ' .. title, answer.failed > 0 and vim.log.levels.WARN or vim.log.levels.INFO)
    if done then
      done(answer)
    end
  end, buf)
end

--- The test that the cursor is in, or the last one above it; nil in a file without tests.
---@param client vim.lsp.Client
---@param buf integer
---@param found fun(id: string?)
local function nearest(client, buf, found)
  local row = vim.api.nvim_win_get_cursor(0)[1] - 1
  local params = { textDocument = vim.lsp.util.make_text_document_params(buf) }
  lsp.call(client, 'request', 'headwater/tests/discover', params, function(error, answer)
    if error then
      warn(error.message)
      return
    end
    local best
    for _, test in ipairs(answer.files[1] and answer.files[1].tests or {}) do
      if not best or test.range.start.line <= row then
        best = test.id
      end
    end
    found(best)
  end, buf)
end

--- `:Headwater test [nearest|file|affected|all]`
---@param which string?
function M.command(which)
  local buf = vim.api.nvim_get_current_buf()
  local client = client_of(buf)
  if not client then
    return
  end
  local uri = vim.uri_from_bufnr(buf)
  if which == 'all' then
    M.run(client, buf, {})
  elseif which == 'affected' then
    M.run(client, buf, { affected = true })
  elseif which == 'file' then
    M.run(client, buf, { tests = { { uri = uri } } })
  elseif which == nil or which == 'nearest' then
    nearest(client, buf, function(id)
      M.run(client, buf, { tests = { { uri = uri, ids = id and { id } or nil } } })
    end)
  else
    warn(('`test %s` is none of nearest, file, affected, all'):format(which))
  end
end

--- `:Headwater diff`: what differs, of the test at the cursor.
function M.diff()
  local buf = vim.api.nvim_get_current_buf()
  local client = client_of(buf)
  if not client then
    return
  end
  nearest(client, buf, function(id)
    if not id then
      warn('this file has no tests')
      return
    end
    local view = { command = 'headwater.view.outcome', language = 'diff' }
    view.argument = { uri = vim.uri_from_bufnr(buf), test = id }
    require('headwater.views').show({ arguments = { view } }, { client_id = client.id, bufnr = buf })
  end)
end

--- `:Headwater accept`: the test at the cursor expects from now on what came back.
function M.accept()
  local buf = vim.api.nvim_get_current_buf()
  local client = client_of(buf)
  if not client then
    return
  end
  nearest(client, buf, function(id)
    local argument = { uri = vim.uri_from_bufnr(buf), ids = id and { id } or nil }
    local params = { command = 'headwater.acceptResult', arguments = { argument } }
    lsp.call(client, 'request', 'workspace/executeCommand', params, function(error, edit)
      if error then
        warn(error.message)
      else
        vim.lsp.util.apply_workspace_edit(edit, client.offset_encoding)
      end
    end, buf)
  end)
end

--- Handler of the lens `▷ Run`: the document's URI, the pipe, and the test or null.
---@param command lsp.Command
---@param context table
function M.lens(command, context)
  local client = context.client_id and vim.lsp.get_client_by_id(context.client_id)
  local uri, _, id = unpack(command.arguments or {})
  if client and uri then
    M.run(client, context.bufnr or 0, { tests = { { uri = uri, ids = id ~= vim.NIL and id and { id } or nil } } })
  end
end

return M
