--- Documents that only the server has, such as the explanation of a plan.
local M = {}

--- Handler of the server's command; its argument names the server's own command that gives the text.
---@param command lsp.Command
---@param context table
function M.show(command, context)
  local view = command.arguments and command.arguments[1]
  local client = context.client_id and vim.lsp.get_client_by_id(context.client_id)
  if not view or not client then
    return
  end
  local params = { command = view.command, arguments = { view.argument } }
  require('headwater.lsp').call(client, 'request', 'workspace/executeCommand', params, function(error, result)
    if error or not result then
      require('headwater').warn(error and error.message or 'the server has no such document')
      return
    end
    M.open(result.uri or view.uri, view.language, result.text)
  end, context.bufnr)
end

--- Shows a text in a window of its own; the same document again in the same buffer.
---@param name string
---@param language string
---@param text string
function M.open(name, language, text)
  local buf = vim.fn.bufnr('^' .. vim.fn.escape(name, '\\^$.*[]~?{},') .. '$')
  if buf == -1 then
    buf = vim.api.nvim_create_buf(false, true)
    vim.api.nvim_buf_set_name(buf, name)
  end
  vim.bo[buf].modifiable = true
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, vim.split(text, '\n', { trimempty = true }))
  vim.bo[buf].modifiable = false
  vim.bo[buf].buftype = 'nofile'
  vim.bo[buf].bufhidden = 'hide'
  vim.bo[buf].filetype = language
  local window = vim.fn.bufwinid(buf)
  if window ~= -1 then
    vim.api.nvim_set_current_win(window)
  else
    vim.cmd('vsplit')
    vim.api.nvim_win_set_buf(0, buf)
  end
end

return M
