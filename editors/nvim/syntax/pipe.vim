runtime! syntax/headwater.vim
