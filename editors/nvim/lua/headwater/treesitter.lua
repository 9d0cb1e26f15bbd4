--- Highlighting and folding by tree-sitter, where the parser is installed; the Vim syntax file is the fallback.
local M = {}

--- An include holds fragments of pipes for the most part.
local grammars = { incl = 'pipe' }

M.filetypes = { 'datasource', 'pipe', 'connection', 'incl' }

--- The language that reads `filetype`, or nil without its parser. The file is looked for by name, since asking for a
--- missing parser is an error in some releases.
---@param filetype string
---@return string?
function M.language(filetype)
  local language = 'headwater_' .. (grammars[filetype] or filetype)
  local parser = vim.api.nvim_get_runtime_file(('parser/%s.so'):format(language), false)[1]
  return parser and language or nil
end

---@param buf integer
function M.start(buf)
  local filetype = vim.bo[buf].filetype
  local language = M.language(filetype)
  if not language then
    return
  end
  vim.treesitter.language.register(language, filetype)
  -- A parser alone would only switch the Vim syntax file off.
  if not vim.treesitter.query.get(language, 'highlights') or not pcall(vim.treesitter.start, buf, language) then
    return
  end
  local window = vim.fn.bufwinid(buf)
  if window ~= -1 and vim.treesitter.query.get(language, 'folds') then
    vim.wo[window][0].foldmethod = 'expr'
    vim.wo[window][0].foldexpr = 'v:lua.vim.treesitter.foldexpr()'
    -- Folds exist, but nothing is hidden until it is asked for.
    vim.wo[window][0].foldlevel = 99
  end
end

return M
