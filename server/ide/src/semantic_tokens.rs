//! What each word of a file is, over the three languages: lines, SQL, templates.

use headwater_analysis::syntax::MappedText;
use headwater_analysis::{Db, Directive, File, TextRange, TextSize, datafile};
use rustc_hash::FxHashMap;

use crate::locate::{What, all};
use crate::place::{mentions, schema_columns, selected};
use crate::sql_context::is_structural;
use crate::tokens::{Token, TokenKind, is_word_char, tokens};

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "named as the protocol names them")]
pub enum TokenClass {
    Keyword,
    Type,
    Table,
    Node,
    Column,
    Variable,
    Parameter,
    Function,
    Macro,
    String,
    Number,
    Operator,
    Comment,
    Value,
    Setting,
}

impl TokenClass {
    /// Every class with the protocol's name for it, in the order of the legend.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::Keyword, "keyword"),
        (Self::Type, "type"),
        (Self::Table, "class"),
        (Self::Node, "namespace"),
        (Self::Column, "property"),
        (Self::Variable, "variable"),
        (Self::Parameter, "parameter"),
        (Self::Function, "function"),
        (Self::Macro, "macro"),
        (Self::String, "string"),
        (Self::Number, "number"),
        (Self::Operator, "operator"),
        (Self::Comment, "comment"),
        (Self::Value, "enumMember"),
        (Self::Setting, "decorator"),
    ];
}

/// A word on one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SemanticToken {
    /// Where.
    pub range: TextRange,
    /// What it is.
    pub class: TokenClass,
    /// Whether it gives the thing its name.
    pub is_declaration: bool,
    /// Whether it is the engine's or the product's own.
    pub is_library: bool,
}

/// All words of a file that mean something, in order, none over a line break, none over another. Linear in the text.
pub fn semantic_tokens(db: &dyn Db, file: File) -> Vec<SemanticToken> {
    let text = file.text(db);
    let mut out = Out { text: &text, list: Vec::new() };
    if file.kind(db).is_none() {
        return Vec::new();
    }
    let parsed = datafile(db, file);
    comments(&text, &mut out);
    let known = known(db, file);
    for entry in parsed.datafile.entries.iter().filter(|e| e.source == 0) {
        let e = &entry.entry;
        let Some(directive) = e.directive.filter(|_| e.valid_here) else { continue };
        out.push(e.keyword, TokenClass::Keyword, false, false);
        if let Some(comment) = e.comment {
            out.push(comment, TokenClass::Comment, false, false);
        }
        let body = e.body(&text);
        match directive {
            Directive::Sql => sql(&body, &known, &mut out),
            Directive::Schema => schema(db, file, &body, &mut out),
            Directive::Node => e.args.iter().for_each(|a| out.push(*a, TokenClass::Node, true, false)),
            Directive::Description | Directive::Tags => {}
            Directive::Token => {
                let classes = [TokenClass::Variable, TokenClass::Value];
                for (argument, class) in e.args.iter().zip(classes) {
                    out.push(*argument, class, false, false);
                }
            }
            Directive::Datasource | Directive::TargetDatasource => {
                out.push(e.args_range(), TokenClass::Table, false, false);
            }
            Directive::Engine
            | Directive::EngineSortingKey
            | Directive::EnginePrimaryKey
            | Directive::EnginePartitionKey
            | Directive::EngineSamplingKey
            | Directive::EngineTtl
            | Directive::EngineSettings
            | Directive::EngineVer
            | Directive::EngineIsDeleted
            | Directive::EngineColumns
            | Directive::EngineSign
            | Directive::EngineVersion
            | Directive::Indexes
            | Directive::ForwardQuery => sql(&body, &known, &mut out),
            _ if e.block.is_none() && body.text.contains("{{") => sql(&body, &known, &mut out),
            _ if e.block.is_none() => {
                e.args.iter().for_each(|a| out.push(*a, TokenClass::Value, false, false));
            }
            _ => {}
        }
    }
    out.finish()
}

struct Out<'t> {
    text: &'t str,
    list: Vec<SemanticToken>,
}

impl Out<'_> {
    /// Adds a word; one that goes over lines is as many words.
    fn push(&mut self, range: TextRange, class: TokenClass, is_declaration: bool, is_library: bool) {
        let Some(text) = self.text.get(std::ops::Range::from(range)) else { return };
        let mut at = range.start();
        for line in text.split_inclusive(['\n', '\r']) {
            let content = line.trim_end_matches(['\n', '\r']);
            let lead = if at == range.start() { 0 } else { content.len() - content.trim_start().len() };
            let start = at + TextSize::of(&content[..lead]);
            let size = TextSize::of(content[lead..].trim_end());
            if size > TextSize::from(0) {
                self.list.push(SemanticToken {
                    range: TextRange::at(start, size),
                    class,
                    is_declaration,
                    is_library,
                });
            }
            at += TextSize::of(line);
        }
    }

    fn finish(mut self) -> Vec<SemanticToken> {
        self.list.sort_by_key(|t| (t.range.start(), t.range.end()));
        let mut out: Vec<SemanticToken> = Vec::with_capacity(self.list.len());
        for token in self.list {
            if out.last().is_none_or(|last| last.range.end() <= token.range.start()) {
                out.push(token);
            }
        }
        out
    }
}

/// What names mean, by where they begin.
type Known = FxHashMap<TextSize, (TextRange, TokenClass, bool)>;

fn known(db: &dyn Db, file: File) -> Known {
    let mut known = Known::default();
    for mention in mentions(db, file) {
        if let Some(name) = mention.name {
            known.insert(name.start(), (name, TokenClass::Column, false));
        }
    }
    for located in all(db, file) {
        let class = match located.what {
            What::Vertex(v) if v.node.is_some() && v.file == file => TokenClass::Node,
            What::Vertex(_) | What::Service { .. } => TokenClass::Table,
            _ => continue,
        };
        known.entry(located.range.start()).or_insert((located.range, class, false));
    }
    let nodes = datafile(db, file).datafile.nodes().len();
    for node in 0..nodes {
        for item in selected(db, file, node).into_iter().filter(|s| s.is_alias) {
            if let Some(focus) = item.focus {
                known.insert(focus.start(), (focus, TokenClass::Column, true));
            }
        }
    }
    for (name, ..) in schema_columns(db, file) {
        known.insert(name.range.start(), (name.range, TokenClass::Column, true));
    }
    for (_, range) in crate::place::key_mentions(db, file) {
        known.entry(range.start()).or_insert((range, TokenClass::Column, false));
    }
    known
}

/// `#` lines, wherever they stand.
fn comments(text: &str, out: &mut Out<'_>) {
    for line in headwater_analysis::syntax::line::lines(text) {
        let content = &text[line.range];
        if content.trim_start().starts_with('#') {
            let indent = TextSize::of(&content[..content.len() - content.trim_start().len()]);
            out.push(
                TextRange::new(line.range.start() + indent, line.range.end()),
                TokenClass::Comment,
                false,
                false,
            );
        }
    }
}

fn sql(body: &MappedText, known: &Known, out: &mut Out<'_>) {
    let text: &str = &body.text;
    let list = tokens(text);
    for (n, token) in list.iter().enumerate() {
        let range = body.to_source(token.range);
        let one = TextSize::from(u32::from(token.kind == TokenKind::Quoted));
        let found = known.get(&range.start()).or_else(|| known.get(&(range.start() + one)));
        match token.kind {
            TokenKind::Word | TokenKind::Quoted => match found {
                Some((range, class, is_declaration)) => out.push(*range, *class, *is_declaration, false),
                None => {
                    if let Some((class, is_library)) = word(text, &list, n, *token) {
                        out.push(range, class, false, is_library);
                    }
                }
            },
            TokenKind::Text => out.push(range, TokenClass::String, false, false),
            TokenKind::Number => out.push(range, TokenClass::Number, false, false),
            TokenKind::Comment => out.push(range, TokenClass::Comment, false, false),
            TokenKind::Sign => {
                let is_operator =
                    !matches!(token.text(text), "(" | ")" | "[" | "]" | "," | "." | ";" | "{" | "}");
                if n == 0 && token.is_sign(text, "%") {
                    out.push(range, TokenClass::Macro, false, false);
                } else if is_operator {
                    out.push(range, TokenClass::Operator, false, false);
                }
            }
            TokenKind::Output | TokenKind::Control => tag(text, *token, body, out),
        }
    }
}

fn word(text: &str, list: &[Token], n: usize, token: Token) -> Option<(TokenClass, bool)> {
    let word = token.text(text);
    let is_call =
        list.get(n + 1).is_some_and(|t| t.is_sign(text, "(") && t.range.start() == token.range.end());
    let before = n.checked_sub(1).map(|n| list[n]);
    if before.is_some_and(|t| t.is_sign(text, ".")) {
        return Some((TokenClass::Column, false));
    }
    if token.kind == TokenKind::Quoted {
        return Some((TokenClass::Variable, false));
    }
    if before.is_some_and(|t| t.is_sign(text, "::")) {
        return Some((TokenClass::Type, true));
    }
    if is_call && headwater_catalog::find(word).is_some() && !is_structural(word) {
        return Some((TokenClass::Function, true));
    }
    if is_structural(word) {
        return Some((TokenClass::Keyword, false));
    }
    if headwater_catalog::is_family(word) && (is_call || word.starts_with(|c: char| c.is_ascii_uppercase())) {
        return Some((TokenClass::Type, true));
    }
    if list.get(n + 1).is_some_and(|t| t.is_sign(text, "="))
        && headwater_catalog::merge_tree_setting(word).is_some()
    {
        return Some((TokenClass::Setting, true));
    }
    if is_call {
        return Some((TokenClass::Function, false));
    }
    Some((TokenClass::Variable, false))
}

/// The inside of a tag: `{{ Int32(days, 7) }}`.
fn tag(text: &str, token: Token, body: &MappedText, out: &mut Out<'_>) {
    let whole = token.text(text);
    let base = token.range.start();
    let two = TextSize::from(2);
    let close = if token.closed { two } else { TextSize::from(0) };
    let place = |from: usize, to: usize| {
        let (from, to) = (TextSize::of(&whole[..from]), TextSize::of(&whole[..to]));
        body.to_source(TextRange::new(base + from, base + to))
    };
    out.push(body.to_source(TextRange::at(base, two)), TokenClass::Macro, false, false);
    if token.closed {
        out.push(
            body.to_source(TextRange::new(token.range.end() - close, token.range.end())),
            TokenClass::Macro,
            false,
            false,
        );
    }
    let inner_end = whole.len() - usize::from(close);
    let mut at = 2;
    let mut first = token.kind == TokenKind::Control;
    while at < inner_end {
        let rest = &whole[at..inner_end];
        let Some(c) = rest.chars().next() else { break };
        let len = match c {
            '\'' | '"' => {
                let len = rest[1..].find(c).map_or(rest.len(), |n| n + 2);
                out.push(place(at, at + len), TokenClass::String, false, false);
                len
            }
            c if c.is_ascii_digit() => {
                let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(rest.len());
                out.push(place(at, at + len), TokenClass::Number, false, false);
                len
            }
            c if is_word_char(c) => {
                let len = rest.find(|c: char| !is_word_char(c)).unwrap_or(rest.len());
                let word = &rest[..len];
                let behind = rest[len..].trim_start();
                let class =
                    if first || matches!(word, "in" | "and" | "or" | "not" | "if" | "else" | "for" | "is") {
                        TokenClass::Keyword
                    } else if behind.starts_with('(') {
                        TokenClass::Function
                    } else if behind.starts_with('=') && !behind.starts_with("==") {
                        TokenClass::Setting
                    } else if matches!(word, "True" | "False" | "None") {
                        TokenClass::Value
                    } else {
                        TokenClass::Parameter
                    };
                let is_library = class == TokenClass::Function && crate::template_docs::find(word).is_some();
                out.push(place(at, at + len), class, false, is_library);
                first = false;
                len
            }
            c => c.len_utf8(),
        };
        at += len.max(1);
    }
}

fn schema(db: &dyn Db, file: File, body: &MappedText, out: &mut Out<'_>) {
    let columns = schema_columns(db, file);
    for (name, ty, _) in &columns {
        out.push(name.range, TokenClass::Column, true, false);
        if let Some(ty) = ty {
            for token in tokens(&ty.value) {
                let range = token.range + ty.range.start();
                match token.kind {
                    TokenKind::Word => out.push(range, TokenClass::Type, false, true),
                    TokenKind::Number => out.push(range, TokenClass::Number, false, false),
                    TokenKind::Text => out.push(range, TokenClass::String, false, false),
                    _ => {}
                }
            }
        }
    }
    let covered = |range: TextRange| {
        columns.iter().any(|(n, ty, _)| {
            n.range.contains_range(range)
                || range.contains_range(n.range)
                || ty.as_ref().is_some_and(|t| t.range.contains_range(range))
        })
    };
    let text: &str = &body.text;
    let list = tokens(text);
    for (n, token) in list.iter().enumerate() {
        let range = body.to_source(token.range);
        if covered(range) {
            continue;
        }
        let class = match token.kind {
            TokenKind::Quoted | TokenKind::Text => TokenClass::String,
            TokenKind::Number => TokenClass::Number,
            TokenKind::Comment => TokenClass::Comment,
            TokenKind::Word if ["DEFAULT", "CODEC", "NULL", "NOT"].iter().any(|w| token.is(text, w)) => {
                TokenClass::Keyword
            }
            TokenKind::Word if list.get(n + 1).is_some_and(|t| t.is_sign(text, "(")) => TokenClass::Function,
            TokenKind::Word => TokenClass::Value,
            _ => continue,
        };
        out.push(range, class, false, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_test_fixture::Fixture;

    fn shown(text: &str, index: usize) -> String {
        let (db, _, files) = Fixture::parse(text).load();
        let text = files[index].text(&db);
        let found = semantic_tokens(&db, files[index]);
        for window in found.windows(2) {
            assert!(window[0].range.end() <= window[1].range.start(), "{window:?}");
        }
        assert!(found.iter().all(|t| !text[t.range].contains('\n')));
        let name = |class| TokenClass::ALL.iter().find(|(c, _)| *c == class).map_or("", |(_, n)| n);
        let line = |t: &SemanticToken| {
            format!("{}:{}{}", &text[t.range], name(t.class), if t.is_declaration { "!" } else { "" })
        };
        found.iter().map(line).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_language_has_its_words() {
        let text = "//- a.datasource\n# note\nSCHEMA >\n  `x` LowCardinality(String) `json:$.x` DEFAULT ''\nENGINE MergeTree\nENGINE_SORTING_KEY x\n\
                    //- p.pipe\nNODE n\nSQL >\n  %\n  SELECT lower(x) AS y, 1 FROM a -- c\n  WHERE x = {{String(who, 'z')}} {% if defined(q) %}{% end %}\nTYPE endpoint\n";
        assert_eq!(
            shown(text, 0),
            "# note:comment SCHEMA:keyword `x`:property! LowCardinality:type String:type `json:$.x`:string DEFAULT:keyword '':string \
             ENGINE:keyword MergeTree:variable ENGINE_SORTING_KEY:keyword x:property"
        );
        assert_eq!(
            shown(text, 1),
            "NODE:keyword n:namespace! SQL:keyword %:macro SELECT:keyword lower:function x:property AS:keyword y:property! 1:number \
             FROM:keyword a:class -- c:comment WHERE:keyword x:property =:operator {{:macro String:function who:parameter 'z':string }}:macro \
             {%:macro if:keyword defined:function q:parameter %}:macro {%:macro end:keyword %}:macro TYPE:keyword endpoint:enumMember"
        );
    }

    #[test]
    fn broken_text_has_words_too() {
        let text = "NODE n\nSQL >\n  %\n  SELECT 'a\n  b {{ x( \n {% if \nTYPE";
        for end in 0..text.len() {
            let (db, _, files) = Fixture::parse(&format!("//- p.pipe\n{}", &text[..end])).load();
            semantic_tokens(&db, files[0]);
        }
    }
}
