//! Our queries in Helix's words.
//!
//! `grammar/queries` uses the names that Neovim and the tree-sitter tools share. Helix has names of its own, and refuses
//! a whole file over one predicate that it does not know. Both have the last of several matching patterns win.

/// Captures of `highlights.scm`, without their `@`: ours, Helix's. A name that is not here is the same in both.
const HIGHLIGHTS: [(&str, &str); 11] = [
    ("boolean", "constant.builtin.boolean"),
    ("embedded", "special"),
    ("function.call", "function"),
    ("keyword.conditional", "keyword.control.conditional"),
    ("keyword.conditional.ternary", "keyword.control.conditional"),
    ("module", "namespace"),
    ("number", "constant.numeric"),
    ("property", "variable.other.member"),
    ("spell", ""),
    ("type.definition", "type"),
    ("variable.member", "variable.other.member"),
];

/// Captures of `locals.scm`: a reference is highlighted as what stands behind `definition`.
const LOCALS: [(&str, &str); 2] = [
    ("local.definition.parameter", "local.definition.variable.parameter"),
    ("local.definition.var", "local.definition.variable"),
];

/// Captures of `indents.scm`.
const INDENTS: [(&str, &str); 3] =
    [("indent.begin", "indent"), ("indent.branch", "outdent"), ("indent.end", "")];

/// Predicates and directives that Helix has; those of tree-sitter itself.
const PREDICATES: [&str; 9] = [
    "#eq?",
    "#not-eq?",
    "#any-eq?",
    "#match?",
    "#not-match?",
    "#any-match?",
    "#any-of?",
    "#not-any-of?",
    "#set!",
];

/// The file `name` (`highlights.scm`) in Helix's words; `None` when Helix has no use for such a file.
pub(super) fn translate(name: &str, queries: &str) -> Option<String> {
    let table: &[(&str, &str)] = match name {
        "highlights.scm" => &HIGHLIGHTS,
        "locals.scm" => &LOCALS,
        "indents.scm" => &INDENTS,
        "injections.scm" => &[],
        _ => return None,
    };
    let mut out = String::new();
    for pattern in patterns(queries) {
        let tokens = tokens(pattern);
        if tokens.iter().any(|t| t.starts_with('#') && !PREDICATES.contains(t)) {
            continue;
        }
        for token in tokens {
            let renamed = token.strip_prefix('@').and_then(|c| table.iter().find(|(ours, _)| *ours == c));
            match renamed {
                None => out += token,
                Some((_, "")) => {}
                Some((_, theirs)) => {
                    out.push('@');
                    out += theirs;
                }
            }
        }
        out.push('\n');
    }
    Some(out)
}

/// The patterns of a file, each with the captures behind it; comments are left out.
fn patterns(queries: &str) -> Vec<&str> {
    let mut found: Vec<std::ops::Range<usize>> = Vec::new();
    let (mut at, mut depth) = (0, 0_usize);
    for token in tokens(queries) {
        let end = at + token.len();
        let opens = token == "(" || token == "[";
        let blank = token.starts_with(';') || token.trim().is_empty();
        if depth == 0 && !blank && !token.starts_with('@') {
            found.push(at..end);
        } else if let (false, Some(last)) = (blank, found.last_mut()) {
            last.end = end;
        }
        if opens {
            depth += 1;
        } else if token == ")" || token == "]" {
            depth = depth.saturating_sub(1);
        }
        at = end;
    }
    found.into_iter().map(|r| &queries[r]).collect()
}

/// A query's tokens without gaps: comments, strings, brackets, blanks, and words with their `@` or `#`.
fn tokens(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let to = |end: fn(char) -> bool| rest.find(end).unwrap_or(rest.len());
        let len = match first {
            ';' => to(|c| c == '\n'),
            '"' => {
                let mut escaped = false;
                let end = rest.char_indices().skip(1).find(|(_, c)| {
                    let is_end = !escaped && *c == '"';
                    escaped = !escaped && *c == '\\';
                    is_end
                });
                end.map_or(rest.len(), |(at, _)| at + 1)
            }
            '(' | ')' | '[' | ']' => 1,
            c if c.is_whitespace() => to(|c| !c.is_whitespace()),
            _ => to(|c| c.is_whitespace() || "()[]\";".contains(c)),
        };
        let (token, behind) = rest.split_at(len);
        out.push(token);
        rest = behind;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_get_helix_names_and_strings_stay() {
        let ours = "; (a) @number\n(n) @number\n\n[\n  \"@number\" (b) ; x\n] @keyword.conditional @spell\n(c d: (e) @type.definition)\n\"?\" @operator\n";
        let theirs = translate("highlights.scm", ours).expect("a file that Helix has");
        assert_eq!(
            theirs,
            "(n) @constant.numeric\n[\n  \"@number\" (b) ; x\n] @keyword.control.conditional \n(c d: (e) @type)\n\"?\" @operator\n"
        );
        assert_eq!(translate("folds.scm", ours), None);
    }

    #[test]
    fn patterns_with_predicates_that_helix_has_not_are_left_out() {
        let ours = "((a) @injection.content\n  (#offset! @injection.content 0 2 0 -2)\n  (#set! injection.language \"python\"))\n\
                    ((b) @_x (#match? @_x \"^#offset! \\\" )$\"))\n";
        let theirs = translate("injections.scm", ours).expect("a file that Helix has");
        assert_eq!(theirs, "((b) @_x (#match? @_x \"^#offset! \\\" )$\"))\n");
    }

    #[test]
    fn every_capture_of_an_indentation_file_is_known() {
        assert_eq!(
            translate("indents.scm", "(a) @indent.begin\n\")\" @indent.branch @indent.end\n").as_deref(),
            Some("(a) @indent\n\")\" @outdent \n")
        );
    }
}
