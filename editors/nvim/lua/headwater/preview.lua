--- What a node gives on the project's samples, as a table in a window of its own.
local M = {}

--- The values that a pipe was asked with last, by its URI: offered when it is asked again.
---@type table<string, table<string, string>>
local remembered = {}

---@param client vim.lsp.Client
---@param buf integer
---@param argument table The server's `headwater.view.preview` takes it.
local function show(client, buf, argument)
  local view = { command = 'headwater.view.preview', language = 'text', argument = argument }
  require('headwater.views').show({ arguments = { view } }, { client_id = client.id, bufnr = buf })
end

--- The node that the cursor is in.
---@return string?
local function node_at_cursor()
  for row = vim.fn.line('.'), 1, -1 do
    local name = vim.fn.getline(row):match('^%s*[Nn][Oo][Dd][Ee]%s+(%S+)')
    if name then
      return name
    end
  end
end

--- `:[range]Headwater preview [name=value …]`: the node at the cursor, or what is selected. Values are remembered for the pipe;
--- `name=` forgets one.
---@param words string[]
---@param range boolean
function M.command(words, range)
  local buf = vim.api.nvim_get_current_buf()
  local client = require('headwater.lsp').clients(buf)[1]
  if not client then
    require('headwater').warn('no server is attached to this buffer')
    return
  end
  local uri = vim.uri_from_bufnr(buf)
  local parameters = remembered[uri] or {}
  for _, word in ipairs(words) do
    local name, value = word:match('^([^=]+)=(.*)$')
    if not name then
      require('headwater').warn(('`%s` is no parameter; write name=value'):format(word))
      return
    end
    parameters[name] = value ~= '' and value or nil
  end
  remembered[uri] = parameters
  local argument = { uri = uri, parameters = next(parameters) and parameters or vim.empty_dict() }
  if range then
    argument.range = vim.lsp.util.make_given_range_params(nil, nil, buf, client.offset_encoding).range
  else
    argument.node = node_at_cursor()
  end
  show(client, buf, argument)
end

--- Handler of the lens `▷ Preview`: the document's URI, the pipe, and the node or null. Asks for the values that the node needs.
---@param command lsp.Command
---@param context table
function M.lens(command, context)
  local client = context.client_id and vim.lsp.get_client_by_id(context.client_id)
  local uri, _, node = unpack(command.arguments or {})
  if not client or not uri then
    return
  end
  local argument = { uri = uri, node = node ~= vim.NIL and node or nil }
  argument.parameters = next(remembered[uri] or {}) and remembered[uri] or vim.empty_dict()
  show(client, context.bufnr or 0, argument)
end

return M
