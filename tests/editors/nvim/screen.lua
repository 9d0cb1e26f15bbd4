-- What the picture shows: a data source with its lens, and below it the list of what is downstream.
local expect = vim.json.decode(table.concat(vim.fn.readfile(vim.env.HEADWATER_EXPECTATIONS), '\n'))

vim.o.termguicolors = true
vim.o.number = true
vim.o.signcolumn = 'yes'
vim.o.laststatus = 2
vim.o.showmode = false
vim.cmd.cd(vim.fn.fnameescape(vim.env.HEADWATER_PROJECT))

local function lens_is_drawn()
  vim.cmd.redraw() -- lenses are drawn by the screen's redraw, which waiting alone does not cause
  for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, -1, 0, -1, { details = true })) do
    if vim.inspect({ mark[4].virt_text, mark[4].virt_lines }):find(expect.lens.title[1], 1, true) then
      return true
    end
  end
  return false
end

vim.api.nvim_create_autocmd('VimEnter', {
  callback = vim.schedule_wrap(function()
    vim.cmd.edit(vim.fn.fnameescape(expect.screenshot.file))
    vim.wait(20000, lens_is_drawn, 50)
    vim.cmd('Headwater downstream')
    vim.wait(10000, function()
      return #vim.fn.getloclist(0) > 0
    end, 50)
    vim.cmd.wincmd('p')
    -- Lines above the first are only seen when the window is scrolled to them.
    vim.cmd.normal({ vim.keycode('gg<C-y><C-y>'), bang = true })
    vim.cmd('redraw!')
    vim.defer_fn(function()
      vim.fn.writefile({}, vim.env.HEADWATER_READY)
    end, 300)
  end),
})
