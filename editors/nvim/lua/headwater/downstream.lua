--- The list behind a lens: everything that flows downstream of a resource.
local M = {}

---@param title string
---@param locations lsp.Location[]
---@param encoding string
local function list(title, locations, encoding)
  if #locations == 0 then
    require('headwater').warn('nothing is downstream of this')
    return
  end
  local items = vim.lsp.util.locations_to_items(locations, encoding)
  if require('headwater').options().downstream == 'select' then
    vim.ui.select(items, {
      prompt = title,
      format_item = function(item)
        return ('%s:%d  %s'):format(vim.fn.fnamemodify(item.filename, ':.'), item.lnum, vim.trim(item.text))
      end,
    }, function(item)
      if item then
        vim.cmd("normal! m'")
        vim.cmd.edit({ args = { item.filename }, magic = { file = false } })
        vim.api.nvim_win_set_cursor(0, { item.lnum, item.col - 1 })
      end
    end)
    return
  end
  vim.fn.setloclist(0, {}, ' ', { title = title, items = items })
  vim.cmd.lopen({ count = math.min(#items, 10) })
end

--- Handler of the server's command; its arguments are the resource's URI and position, and the locations.
---@param command lsp.Command
---@param context table
function M.show(command, context)
  local client = context.client_id and vim.lsp.get_client_by_id(context.client_id)
  local locations = command.arguments and command.arguments[3] or {}
  list(command.title or 'Downstream', locations, client and client.offset_encoding or 'utf-16')
end

--- Runs the lens of the resource the cursor is in: the nearest one at or above it.
function M.at_cursor()
  local lsp = require('headwater.lsp')
  local buf = vim.api.nvim_get_current_buf()
  local client = lsp.clients(buf)[1]
  if not client then
    require('headwater').warn('no server is attached to this buffer')
    return
  end
  local row = vim.api.nvim_win_get_cursor(0)[1] - 1
  local params = { textDocument = vim.lsp.util.make_text_document_params(buf) }
  local function run(lens)
    M.show(lens.command, { client_id = client.id })
  end
  lsp.call(client, 'request', 'textDocument/codeLens', params, function(error, lenses)
    if error then
      require('headwater').warn(error.message)
      return
    end
    local best
    for _, lens in ipairs(lenses or {}) do
      local line = lens.range.start.line
      local ours = not lens.command or lens.command.command == 'headwater.showDownstream'
      if ours and line <= row and (not best or line > best.range.start.line) then
        best = lens
      end
    end
    if not best then
      require('headwater').warn('nothing here has anything downstream')
    elseif best.command then
      run(best)
    else
      lsp.call(client, 'request', 'codeLens/resolve', best, function(_, lens)
        if lens and lens.command then
          run(lens)
        end
      end, buf)
    end
  end, buf)
end

return M
