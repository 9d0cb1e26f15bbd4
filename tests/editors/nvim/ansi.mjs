// The escape sequences that `tmux capture-pane -e` writes, as HTML. It writes SGR (colours, weight) and nothing else.

const BASE = ['#1e2127', '#e06c75', '#98c379', '#d19a66', '#61afef', '#c678dd', '#56b6c2', '#abb2bf'];
const BRIGHT = ['#5c6370', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#ffffff'];
const hex = (...rgb) => `#${rgb.map((v) => Number(v).toString(16).padStart(2, '0')).join('')}`;

/** The 256 colours: 16 named ones, a 6×6×6 cube, 24 greys. */
function indexed(n) {
  if (n < 8) return BASE[n];
  if (n < 16) return BRIGHT[n - 8];
  if (n >= 232) return hex(...Array(3).fill(8 + 10 * (n - 232)));
  const step = (v) => (v ? 55 + 40 * v : 0);
  return hex(step(Math.floor((n - 16) / 36)), step(Math.floor((n - 16) / 6) % 6), step((n - 16) % 6));
}

/** Applies one SGR sequence to `style`. Parameters come separated by `;`, sub-parameters (underlines) by `:`. */
function apply(style, sequence) {
  const codes = (sequence || '0').split(';');
  const colour = () => {
    const kind = codes.shift();
    return kind === '5' ? indexed(Number(codes.shift())) : hex(...codes.splice(0, 3));
  };
  while (codes.length) {
    const [code, ...sub] = codes.shift().split(':');
    const n = Number(code);
    if (n === 0) for (const key of Object.keys(style)) delete style[key];
    else if (n === 1) style.bold = true;
    else if (n === 2) style.dim = true;
    else if (n === 3) style.italic = true;
    else if (n === 4) style.underline = sub[0] === '0' ? undefined : sub[0] === '3' ? 'wavy' : 'solid';
    else if (n === 7) style.reverse = true;
    else if (n === 22) style.bold = style.dim = undefined;
    else if (n === 23) style.italic = undefined;
    else if (n === 24) style.underline = undefined;
    else if (n === 27) style.reverse = undefined;
    else if (n >= 30 && n <= 37) style.fg = BASE[n - 30];
    else if (n >= 90 && n <= 97) style.fg = BRIGHT[n - 90];
    else if (n >= 40 && n <= 47) style.bg = BASE[n - 40];
    else if (n >= 100 && n <= 107) style.bg = BRIGHT[n - 100];
    else if (n === 38) style.fg = sub.length ? hex(...sub.slice(-3)) : colour();
    else if (n === 48) style.bg = sub.length ? hex(...sub.slice(-3)) : colour();
    else if (n === 58) style.line = sub.length > 2 ? hex(...sub.slice(-3)) : sub.length ? indexed(Number(sub[1])) : colour();
    else if (n === 39) style.fg = undefined;
    else if (n === 49) style.bg = undefined;
    else if (n === 59) style.line = undefined;
  }
}

function css(style) {
  const [fg, bg] = style.reverse ? [style.bg ?? '#14161b', style.fg ?? '#e0e2ea'] : [style.fg, style.bg];
  return [
    fg && `color:${fg}`,
    bg && `background:${bg}`,
    style.bold && 'font-weight:bold',
    style.italic && 'font-style:italic',
    style.dim && 'opacity:.6',
    style.underline && `text-decoration:underline ${style.underline} ${style.line ?? ''}`,
  ].filter(Boolean).join(';');
}

const escaped = (text) => text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);

export function html(screen) {
  const style = {};
  let body = '';
  for (const part of screen.split(/(\x1b\[[0-9;:]*m|\x0e|\x0f)/)) {
    const sgr = /^\x1b\[([0-9;:]*)m$/.exec(part);
    if (sgr) apply(style, sgr[1]);
    else if (part && part !== '\x0e' && part !== '\x0f') {
      body += `<span style="${css(style)}">${escaped(part)}</span>`;
    }
  }
  return body;
}
