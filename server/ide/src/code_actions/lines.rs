//! Lines of datafiles: directives that should go, openers, what stands behind them.

use headwater_analysis::{Diagnostic, Directive, TextRange, TextSize};

use super::{Actions, Context};
use crate::change::Change;

pub(super) fn fix(cx: &Context<'_>, diagnostic: &Diagnostic, actions: &mut Actions<'_>) {
    let (file, range) = (cx.file, diagnostic.range);
    match diagnostic.code.name {
        "byte-order-mark" => {
            actions.fix("bom", "Remove the byte order mark", || Some(Change::replace(file, range, "")));
        }
        "ignored-directive"
        | "deprecated-directive"
        | "sdk-directive"
        | "duplicate-directive"
        | "attribute-not-allowed"
        | "engine-option" => {
            let word = cx.text[range].split_whitespace().next().unwrap_or_default().to_owned();
            actions.fix("remove-line", format!("Remove {word}"), || {
                let entry = cx.entry(range)?;
                Some(Change::replace(file, cx.whole_line(entry.full_range()), ""))
            });
        }
        "settings-directive" => {
            actions.fix("rename-directive", "Change to ENGINE_SETTINGS", || {
                Some(Change::replace(file, range, "ENGINE_SETTINGS"))
            });
        }
        "legacy-key" => {
            let word = cx.text[range].to_uppercase();
            if !word.starts_with("ENGINE_") && Directive::named(&format!("ENGINE_{word}")).is_some() {
                actions.fix("rename-directive", format!("Change to ENGINE_{word}"), || {
                    Some(Change::replace(file, range, format!("ENGINE_{word}")))
                });
            }
        }
        "block-opener-space" => {
            if let Some(word) = cx.text[range].strip_suffix('>') {
                let text = format!("{word} >");
                actions.fix("opener", format!("Write `{text}`"), || {
                    Some(Change::replace(file, range, text.clone()))
                });
            }
        }
        "text-after-opener" => {
            actions.fix("into-block", "Move the text into the block", || {
                let entry = cx.entry(range)?;
                let opener = entry.block.as_ref()?.opener;
                let text = cx.text[range].trim();
                let all = TextRange::new(opener.end(), range.end());
                Some(Change::replace(file, all, format!("{}    {text}", cx.newline())))
            });
        }
        "block-required" => {
            actions.fix("block", "Write the value as a block", || {
                let entry = cx.entry(range)?;
                let value = cx.text[entry.args_range()].trim().to_owned();
                let all = TextRange::new(entry.keyword.end(), entry.line.end());
                Some(Change::replace(file, all, format!(" >{}    {value}", cx.newline())))
            });
        }
        "engine-missing" => {
            actions.fix("add-engine", "Add `ENGINE MergeTree`", || {
                let line = cx.whole_line(range);
                Some(Change::insert(file, line.start(), format!("ENGINE MergeTree{}", cx.newline())))
            });
        }
        "hash-cuts-value" => {
            actions.fix("quote", "Put the value into quotes", || {
                let entry = cx.entry(range)?;
                let start = entry.args.first()?.start();
                let value = cx.text[TextRange::new(start, entry.line.end())].trim_end().replace('"', "'");
                let all = TextRange::new(start, entry.line.end());
                Some(Change::replace(file, all, format!("\"{value}\"")))
            });
        }
        "copy-mode" | "invalid-value" => {
            let lower = cx.text[range].trim_matches(['"', '\'']).to_lowercase();
            let word = ["append", "replace"].into_iter().find(|w| lower == *w);
            if let Some(word) = word.filter(|w| *w != cx.text[range].trim()) {
                actions
                    .fix("case", format!("Change to `{word}`"), || Some(Change::replace(file, range, word)));
            }
        }
        "mismatched-quotes" | "space-after-quote" => {
            actions.fix("quote", "Put the value into double quotes", || {
                let value = cx.text[range].replace(['"', '\''], "");
                Some(Change::replace(file, range, format!("\"{}\"", value.trim())))
            });
        }
        "plain-secret" => {
            actions.fix("secret", "Read it from a secret", || {
                let entry = cx.entry(range)?;
                let name = cx.text[entry.keyword].to_lowercase();
                Some(Change::replace(file, entry.args_range(), format!("{{{{ tb_secret(\"{name}\") }}}}")))
            });
        }
        "index-word" => {
            actions.fix("index", "Remove the word INDEX", || {
                let blank = cx.text[usize::from(range.end())..].find(|c: char| c != ' ').unwrap_or(0);
                let end = range.end() + TextSize::try_from(blank).ok()?;
                Some(Change::replace(file, TextRange::new(range.start(), end), ""))
            });
        }
        _ => {}
    }
}
