--- Comments, indentation and words of a datafile's buffer.
local M = {}

--- Inside an SQL block a comment is `--`, elsewhere `#`. Asked whenever the cursor has moved.
local function commentstring()
  for line = vim.fn.line('.'), 1, -1 do
    local text = vim.fn.getline(line)
    -- The nearest line at column 0 that looks like a directive says what the cursor is in.
    local directive, rest = text:match('^([%a_]+)%s*(.*)$')
    if directive then
      local sql = (directive:upper() == 'SQL' or directive:upper() == 'FORWARD_QUERY') and rest:match('^>')
      return sql and line ~= vim.fn.line('.') and '-- %s' or '# %s'
    end
  end
  return '# %s'
end

--- One step in after a line that opens a block or a parenthesis; else as the line above.
function M.indent()
  local line = vim.v.lnum
  local above = vim.fn.prevnonblank(line - 1)
  if above == 0 then
    return 0
  end
  local text, indent = vim.fn.getline(above), vim.fn.indent(above)
  local step = vim.fn.shiftwidth()
  if text:find('^%s*[%a_]+%s+>%s*$') or text:find('%($') or text:find('^%s*{%%%-?%s*[iwft][fhor][ r]') then
    indent = indent + step
  end
  local this = vim.fn.getline(line)
  if this:find('^%s*%)') or this:find('^%s*{%%%-?%s*e[nlx]') then
    indent = indent - step
  end
  return math.max(indent, 0)
end

function M.apply()
  local set = vim.opt_local
  set.comments = ':#,:--'
  set.commentstring = '# %s'
  set.expandtab = true
  set.shiftwidth = 4
  set.softtabstop = 4
  set.indentexpr = "v:lua.require'headwater.ftplugin'.indent()"
  set.indentkeys = '!^F,o,O,0),=~end,=~else,=~elif'
  vim.b.undo_ftplugin = 'setlocal comments< commentstring< expandtab< shiftwidth< softtabstop< indentexpr< indentkeys<'
  local buf = vim.api.nvim_get_current_buf()
  vim.api.nvim_create_autocmd('CursorMoved', {
    group = vim.api.nvim_create_augroup('headwater.comment.' .. buf, {}),
    buffer = buf,
    callback = function()
      vim.bo[buf].commentstring = commentstring()
    end,
  })
end

return M
