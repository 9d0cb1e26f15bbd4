" Colours without tree-sitter. Coarse on purpose: the exact structure is the server's business.
if exists('b:current_syntax')
  finish
endif
syntax case ignore

syntax match headwaterComment /^\s*#.*$/
syntax match headwaterComment /--.*$/
syntax region headwaterComment start=/{#/ end=/#}/
syntax match headwaterDirective /^\u[A-Z0-9_]*\ze\%(\s\|$\)/
syntax match headwaterBlock /\s\zs>$/
syntax keyword headwaterKeyword select from where prewhere group order by having limit offset with as on using join
syntax keyword headwaterKeyword left right full inner cross any all asof array final union except distinct case when then else
syntax keyword headwaterKeyword end and or not in is null like ilike between over partition interval asc desc default codec
syntax match headwaterType /\<\%(U\?Int\d\+\|Float\d\+\|Decimal\d*\|Bool\|String\|FixedString\|UUID\|Date\%(32\|Time\|Time64\)\?\|Enum\d*\|IPv[46]\|JSON\|Array\|Map\|Tuple\|Nullable\|LowCardinality\|\%(Simple\)\?AggregateFunction\)\>/
syntax match headwaterFunction /\<\h\w*\ze(/
syntax match headwaterNumber /\<\d\+\%(\.\d\+\)\?\>/
syntax region headwaterString start=/'/ skip=/\\./ end=/'/ oneline
syntax region headwaterString start=/"/ skip=/\\./ end=/"/ oneline
syntax match headwaterPath /`json:[^`]*`/
syntax region headwaterTemplate matchgroup=headwaterTag start=/{[{%]/ end=/[}%]}/ keepend contains=headwaterStatement,headwaterFunction,headwaterString,headwaterNumber
syntax keyword headwaterStatement contained if elif else for while in end set and or not defined

highlight default link headwaterComment Comment
highlight default link headwaterDirective Statement
highlight default link headwaterBlock Operator
highlight default link headwaterKeyword Keyword
highlight default link headwaterType Type
highlight default link headwaterFunction Function
highlight default link headwaterNumber Number
highlight default link headwaterString String
highlight default link headwaterPath Special
highlight default link headwaterTag PreProc
highlight default link headwaterStatement Conditional

let b:current_syntax = 'headwater'
