-- One headless session. Prints `ok NAME`, `FAIL NAME: WHY` or `skip NAME: WHY` per check and ends with `end`.
local project = vim.env.HEADWATER_PROJECT
local expect = vim.json.decode(table.concat(vim.fn.readfile(vim.env.HEADWATER_EXPECTATIONS), '\n'))

-- An uncaught error would leave a headless Neovim waiting for ever.
vim.defer_fn(function()
  vim.cmd.cquit(3)
end, 60000)

local function say(line)
  io.stdout:write((line:gsub('\n', ' ⏎ ')) .. '\n')
end

--- `run` fails by an error and skips by returning why.
local function check(name, run)
  local ok, why = xpcall(run, debug.traceback)
  if not ok and vim.bo.modified then
    vim.cmd('silent! edit!') -- one failure must not become many
  end
  if ok and why then
    say(('skip %s: %s'):format(name, why))
  else
    say(ok and ('ok %s'):format(name) or ('FAIL %s: %s'):format(name, why))
  end
end

local function wait(what, condition)
  assert(vim.wait(15000, condition, 10), 'waited in vain for ' .. what)
end

local function path(file)
  return vim.fs.joinpath(project, file)
end

--- Opens `file`; with `at`, puts the cursor where `|` is and returns that place too (0-based).
local function open(file, at)
  -- Not again when it is open: that would reload it.
  if vim.uv.fs_realpath(vim.api.nvim_buf_get_name(0)) ~= path(file) then
    vim.cmd.edit(vim.fn.fnameescape(path(file)))
  end
  local buf = vim.api.nvim_get_current_buf()
  if not at then
    return buf
  end
  local before, after = at:match('^(.-)|(.*)$')
  for row, line in ipairs(vim.api.nvim_buf_get_lines(buf, 0, -1, true)) do
    local start = line:find(before .. after, 1, true)
    if start then
      local column = start - 1 + #before
      vim.api.nvim_win_set_cursor(0, { row, column })
      return buf, row - 1, column
    end
  end
  error(('%s has no %q'):format(file, before .. after))
end

local function clients(buf)
  return vim.lsp.get_clients({ bufnr = buf, name = 'headwater' })
end

local function attached(buf)
  wait('the server to attach', function()
    return clients(buf)[1] and clients(buf)[1].initialized
  end)
  return clients(buf)[1]
end

--- The answer to one request about the buffer.
local function ask(buf, method, params)
  params = params or { textDocument = vim.lsp.util.make_text_document_params(buf) }
  local answers, failed = vim.lsp.buf_request_sync(buf, method, params, 10000)
  assert(answers, failed)
  local _, answer = next(answers)
  assert(answer, 'no server answered ' .. method)
  assert(not answer.err and not answer.error, vim.inspect(answer.err or answer.error))
  return answer.result
end

local function here()
  return vim.lsp.util.make_position_params(0, 'utf-16')
end

local function text_of(value)
  return vim.inspect(value)
end

local function messages(buf)
  return vim.tbl_map(function(d)
    return d.message
  end, vim.diagnostic.get(buf))
end

check('filetype and server', function()
  local buf = open(expect.lens.file)
  assert(vim.bo[buf].filetype == 'datasource', vim.bo[buf].filetype)
  local client = attached(buf)
  assert(client.config.root_dir == project, client.config.root_dir)
end)

check('no diagnostics on clean files', function()
  for _, file in ipairs(expect.clean) do
    local buf = open(file)
    attached(buf)
    ask(buf, 'textDocument/documentSymbol') -- an answer after the open: what it publishes is out by now
    vim.wait(300)
    assert(#messages(buf) == 0, file .. ': ' .. text_of(messages(buf)))
  end
end)

check('diagnostic appears while typing and vanishes', function()
  local e = expect.typing
  local buf, row, column = open(e.file, e.at)
  attached(buf)
  for i = 1, #e.text do
    vim.api.nvim_buf_set_text(buf, row, column + i - 1, row, column + i - 1, { e.text:sub(i, i) })
  end
  wait('a diagnostic that says ' .. e.message, function()
    return vim.iter(vim.diagnostic.get(buf)):any(function(d)
      return d.message:find(e.message, 1, true) and d.lnum == row
    end)
  end)
  vim.api.nvim_buf_set_text(buf, row, column, row, column + #e.text, {})
  vim.bo[buf].modified = false
  wait('no diagnostics', function()
    return #messages(buf) == 0
  end)
end)

local function lens_title(buf)
  for _, lens in ipairs(vim.lsp.codelens.get(vim.fn.has('nvim-0.12') == 1 and { bufnr = buf } or buf)) do
    lens = lens.lens or lens
    local title = lens.command and lens.command.title or ''
    local all = vim.iter(expect.lens.title):all(function(part)
      return title:find(part, 1, true) ~= nil
    end)
    if all then
      return title, lens
    end
  end
end

check('code lens is drawn', function()
  local buf = open(expect.lens.file)
  attached(buf)
  wait('a lens with ' .. text_of(expect.lens.title), function()
    return lens_title(buf) ~= nil
  end)
  wait('the lens on the screen', function()
    vim.cmd.redraw()
    for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(buf, -1, 0, -1, { details = true })) do
      local drawn = vim.inspect({ mark[4].virt_text, mark[4].virt_lines })
      if drawn:find(lens_title(buf), 1, true) then
        return true
      end
    end
  end)
end)

--- The location list as files relative to the project.
local function listed()
  return vim.tbl_map(function(item)
    return (vim.uv.fs_realpath(vim.api.nvim_buf_get_name(item.bufnr)) or ''):sub(#project + 2)
  end, vim.fn.getloclist(0))
end

local function lists_downstream()
  wait('the location list', function()
    return #vim.fn.getloclist(0) > 0
  end)
  for _, file in ipairs(expect.lens.lists) do
    assert(vim.tbl_contains(listed(), file), ('%s is not in %s'):format(file, text_of(listed())))
  end
  vim.cmd.lclose()
  vim.fn.setloclist(0, {}, 'r')
end

check('code lens opens the list', function()
  local buf = open(expect.lens.file)
  local _, lens = lens_title(buf)
  vim.api.nvim_win_set_cursor(0, { lens.range.start.line + 1, 0 })
  vim.lsp.codelens.run()
  lists_downstream()
end)

check(':Headwater downstream opens the list', function()
  local buf = open(expect.lens.file)
  local _, lens = lens_title(buf)
  vim.api.nvim_win_set_cursor(0, { lens.range.start.line + 1, 0 })
  vim.cmd.Headwater('downstream')
  lists_downstream()
end)

check('a document that only the server has opens', function()
  local buf = open(expect.lens.file)
  local client = attached(buf)
  local argument = { uri = vim.uri_from_bufnr(buf) }
  local view = { uri = 'headwater:/plan/x', language = 'markdown', command = 'headwater.view.plan', argument = argument }
  vim.lsp.commands['headwater.showView']({ arguments = { view } }, { client_id = client.id, bufnr = buf })
  wait('the plan of the file', function()
    local text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\n')
    return vim.bo.filetype == 'markdown' and text:find('# Deploying `', 1, true) ~= nil
  end)
  vim.cmd.close()
end)

check('hover', function()
  local buf = open(expect.hover.file, expect.hover.at)
  local shown = text_of(ask(buf, 'textDocument/hover', here()))
  for _, part in ipairs(expect.hover.contains) do
    assert(shown:find(part, 1, true), ('no %q in %s'):format(part, shown))
  end
end)

check('go to definition', function()
  local buf = open(expect.definition.file, expect.definition.at)
  attached(buf)
  vim.lsp.buf.definition()
  local target = vim.uv.fs_realpath(path(expect.definition.target))
  wait('the jump', function()
    return vim.uv.fs_realpath(vim.api.nvim_buf_get_name(0)) == target
  end)
end)

check('document symbols', function()
  local buf = open(expect.documentSymbols.file)
  local shown = text_of(ask(buf, 'textDocument/documentSymbol'))
  for _, name in ipairs(expect.documentSymbols.names) do
    assert(shown:find('name = "' .. name .. '"', 1, true), ('no %s in %s'):format(name, shown))
  end
end)

check('workspace symbols', function()
  local buf = open(expect.clean[1])
  local shown = text_of(ask(buf, 'workspace/symbol', { query = expect.workspaceSymbols.query }))
  assert(shown:find(expect.workspaceSymbols.file, 1, true), shown)
end)

check('folding', function()
  local buf = open(expect.folding.file)
  local ranges = ask(buf, 'textDocument/foldingRange')
  assert(#ranges >= expect.folding.atLeast, text_of(ranges))
end)

check('indentation and comments', function()
  vim.cmd.new()
  vim.bo.filetype = 'pipe'
  vim.api.nvim_feedkeys(vim.keycode('iNODE a<CR>SQL ><CR>SELECT 1<Esc>'), 'tx', false)
  local lines = vim.api.nvim_buf_get_lines(0, 0, -1, true)
  assert(vim.deep_equal(lines, { 'NODE a', 'SQL >', '    SELECT 1' }), text_of(lines))
  vim.cmd.doautocmd('CursorMoved')
  assert(vim.bo.commentstring == '-- %s', vim.bo.commentstring)
  vim.cmd('bwipeout!')
end)

--- Names of the captures at a place prove that parser and queries work together; the language that a capture is of
--- proves that SQL inside of a datafile is read by its own grammar.
local function highlighted(places)
  local buf = open(places.file)
  local language = require('headwater.treesitter').language(vim.bo[buf].filetype)
  if not language or not vim.treesitter.query.get(language, 'highlights') then
    return 'no parser or no queries in this build of the plugin'
  end
  vim.treesitter.get_parser(buf, language):parse(true)
  assert(vim.treesitter.highlighter.active[buf], 'not active')
  for _, place in ipairs(places.at) do
    vim.api.nvim_win_set_cursor(0, { 1, 0 })
    local row, column = unpack(vim.fn.searchpos('\\V' .. place.shows, 'cW'))
    assert(row > 0, places.file .. ' does not hold ' .. place.shows)
    local captures = vim.treesitter.get_captures_at_pos(buf, row - 1, column - 1)
    local found = vim.iter(captures):any(function(c)
      return c.capture == place.nvim and c.lang == place.language
    end)
    assert(found, ('%s is no %s of %s: %s'):format(place.shows, place.nvim, place.language, text_of(captures)))
  end
end

check('tree-sitter highlighting of a pipe and its SQL', function()
  return highlighted(expect.highlights)
end)

check('tree-sitter highlighting of a data source and its schema', function()
  return highlighted(expect.schema)
end)

check(':Headwater status', function()
  open(expect.clean[1])
  vim.cmd.Headwater('status')
  wait('the floating window', function()
    return vim.iter(vim.api.nvim_list_wins()):any(function(window)
      return vim.api.nvim_win_get_config(window).relative ~= ''
    end)
  end)
  vim.cmd('fclose!')
end)

local function shown_in_any_window(part)
  return vim.iter(vim.api.nvim_list_wins()):any(function(window)
    local lines = vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, true)
    return table.concat(lines, '\n'):find(part, 1, true) ~= nil
  end)
end

--- Lines of the buffer with a text in the place of another.
local function replace(buf, from, to)
  for row, line in ipairs(vim.api.nvim_buf_get_lines(buf, 0, -1, true)) do
    local start = line:find(from, 1, true)
    if start then
      vim.api.nvim_buf_set_text(buf, row - 1, start - 1, row - 1, start - 1 + #from, { to })
      return row
    end
  end
  error('the buffer has no ' .. from)
end

local function test_failures(buf)
  return vim.tbl_filter(function(d)
    return d.source == 'headwater test'
  end, vim.diagnostic.get(buf))
end

check('a failing test is run, its difference seen, and its result accepted', function()
  if not vim.env.HEADWATER_CHDB then
    return 'there is no engine on this machine'
  end
  local e = expect.test
  local buf = open(e.file)
  attached(buf)
  local row = replace(buf, e.right, e.wrong)
  vim.api.nvim_win_set_cursor(0, { row, 0 })
  vim.cmd('Headwater test nearest')
  wait('the failure as a diagnostic', function()
    local found = test_failures(buf)
    return found[1] and found[1].message:find(e.message, 1, true)
  end)
  wait('the failure in the quickfix list', function()
    local listed = vim.fn.getqflist()
    return listed[1] and listed[1].text:find(e.message, 1, true)
  end)
  vim.cmd.cclose()
  vim.cmd('Headwater diff')
  wait('the difference', function()
    return vim.bo.filetype == 'diff' and shown_in_any_window('+++ got')
  end)
  vim.cmd.close()
  vim.cmd('Headwater accept')
  wait('the new expectation', function()
    return vim.api.nvim_buf_get_lines(buf, row - 1, row, true)[1]:find(e.right, 1, true)
  end)
  -- The edit runs it by itself.
  wait('no failure', function()
    return #test_failures(buf) == 0
  end)
  vim.cmd('Headwater test file')
  wait('an empty quickfix list', function()
    return vim.fn.getqflist({ title = true }).title:find('1 passed', 1, true)
  end)
  vim.cmd('edit!')
end)

check('the lens of a test runs it', function()
  if not vim.env.HEADWATER_CHDB then
    return 'there is no engine on this machine'
  end
  local buf = open(expect.test.file)
  local client = attached(buf)
  vim.fn.setqflist({}, 'r', { title = '' })
  local arguments = { vim.uri_from_bufnr(buf), 'top_pages', expect.test.name }
  vim.lsp.commands['headwater.runTest']({ arguments = arguments }, { client_id = client.id, bufnr = buf })
  wait('the run', function()
    return vim.fn.getqflist({ title = true }).title:find('1 passed', 1, true)
  end)
end)

check('a preview is seen', function()
  if not vim.env.HEADWATER_CHDB then
    return 'there is no engine on this machine'
  end
  local e = expect.preview
  local buf = open(e.file, e.at)
  attached(buf)
  vim.cmd('Headwater preview limit=3')
  for _, part in ipairs(e.contains) do
    wait('a preview with ' .. part, function()
      return shown_in_any_window(part) and shown_in_any_window(e.pipe .. ':' .. e.node)
    end)
  end
  vim.cmd.close()
end)

check(':Headwater completion', function()
  local names = vim.fn.getcompletion('Headwater ', 'cmdline')
  assert(vim.deep_equal(names, { 'accept', 'diff', 'downstream', 'log', 'preview', 'restart', 'status', 'test' }), text_of(names))
end)

check(':Headwater restart', function()
  local buf = open(expect.clean[1])
  local old = attached(buf).id
  vim.cmd.Headwater('restart')
  wait('another client', function()
    return clients(buf)[1] and clients(buf)[1].id ~= old and clients(buf)[1].initialized
  end)
end)

check(':checkhealth headwater', function()
  vim.cmd.checkhealth('headwater')
  local report = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\n')
  assert(report:find('headwater: server', 1, true), report)
  assert(not report:find('ERROR', 1, true), report)
  vim.cmd('bwipeout!')
end)

check('shutdown', function()
  for _, client in ipairs(vim.lsp.get_clients()) do
    require('headwater.lsp').call(client, 'stop')
  end
  wait('the server to stop', function()
    return #vim.lsp.get_clients() == 0
  end)
end)

say('end')
vim.cmd('qall!')
