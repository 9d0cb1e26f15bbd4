//! Lines of datafiles: directives that should go, openers, what stands behind them.

use headwater_analysis::{Diagnostic, Directive, FileKind, TextRange, TextSize};

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
        | "empty-shared-with"
        | "sink-variant"
        | "engine-option" => {
            let is_line = cx.entry(range).is_some_and(|e| e.keyword.contains_range(range));
            if is_line || diagnostic.code.name != "sink-variant" {
                remove(cx, range, actions);
            }
        }
        // Of what only engines have, no line means what an empty one does.
        "missing-value" if cx.entry(range).and_then(|e| e.directive).is_some_and(Directive::is_engine) => {
            remove(cx, range, actions);
        }
        // A value that is none of the documented ones has its own fix.
        "connection-setting" if cx.entry(range).is_some_and(|e| e.keyword == range) => {
            remove(cx, range, actions);
        }
        "unclosed-quote" => unclosed(cx, range, actions),
        "block-not-allowed" => {
            actions.fix("one-line", "Write the value on the line", || {
                let entry = cx.entry(range)?;
                let block = entry.block.as_ref()?;
                let lines = block.lines.iter().filter(|l| !l.dropped).map(|l| cx.text[l.range].trim());
                let value = lines.collect::<Vec<_>>().join(" ");
                let all = TextRange::new(entry.keyword.end(), block.lines.last()?.range.end());
                (!value.is_empty()).then(|| Change::replace(file, all, format!(" {value}")))
            });
        }
        "block-ended-early" => {
            actions.fix("indent", "Indent the line", || {
                let line = cx.whole_line(range);
                Some(Change::insert(file, line.start(), "    "))
            });
        }
        "dash-comment-in-value" => {
            actions.fix("comment", "Write the comment with `#`", || {
                let dashes = TextRange::at(range.start(), TextSize::from(2));
                Some(Change::replace(file, dashes, "#"))
            });
        }
        "invalid-token" => token(cx, range, actions),
        "secret-in-schedule" | "invalid-schedule" | "import-schedule" if diagnostic.meant.is_none() => {
            actions.fix("on-demand", "Change to `@on-demand`", || {
                Some(Change::replace(file, range, "@on-demand"))
            });
        }
        "schedule-collision" => later(cx, range, actions),
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

/// Offers to remove the directive that stands at a place, with its block.
fn remove(cx: &Context<'_>, range: TextRange, actions: &mut Actions<'_>) {
    let word = cx.text[range].split_whitespace().next().unwrap_or_default().to_owned();
    actions.fix("remove-line", format!("Remove {word}"), || {
        let entry = cx.entry(range)?;
        Some(Change::replace(cx.file, cx.whole_line(entry.full_range()), ""))
    });
}

/// A quote that is never closed. A token's permission stands behind its name.
fn unclosed(cx: &Context<'_>, range: TextRange, actions: &mut Actions<'_>) {
    let quote = cx.text[range].to_owned();
    let line = cx.whole_line(range);
    let rest = cx.text[TextRange::new(range.end(), line.end())].trim_end();
    let permission = ["READ", "APPEND"]
        .iter()
        .find_map(|word| {
            rest.get(..rest.len().checked_sub(word.len())?)
                .filter(|head| head.ends_with(' ') && rest[head.len()..].eq_ignore_ascii_case(word))
        })
        .map(str::trim_end);
    let inner = permission.unwrap_or(rest);
    if !inner.trim().is_empty() {
        let end = range.end() + TextSize::of(inner);
        actions.fix("close-quote", "Close the quote", || Some(Change::insert(cx.file, end, quote)));
    }
    // Before a permission the quote belongs to a name of several words.
    if permission.is_none() {
        actions.fix("remove-quote", "Remove the quote", || Some(Change::replace(cx.file, range, "")));
    }
}

/// A token without a permission, with a wrong one, or with a name that needs quotes.
fn token(cx: &Context<'_>, range: TextRange, actions: &mut Actions<'_>) {
    let Some(entry) = cx.entry(range) else { return };
    let permissions: &[&str] =
        if cx.file.kind(cx.db) == Some(FileKind::Pipe) { &["READ"] } else { &["READ", "APPEND"] };
    match entry.args.as_slice() {
        [] => {}
        [name] => {
            for word in permissions {
                actions.fix(&format!("grant-{word}"), format!("Grant {word}"), || {
                    Some(Change::insert(cx.file, name.end(), format!(" {word}")))
                });
            }
        }
        [_, permission] => {
            for word in permissions {
                actions.fix(&format!("grant-{word}"), format!("Grant {word}"), || {
                    Some(Change::replace(cx.file, *permission, *word))
                });
            }
        }
        [first, .., last_of_name, permission] => {
            let is_known = permissions.iter().any(|p| p.eq_ignore_ascii_case(&cx.text[*permission]));
            let name = TextRange::new(first.start(), last_of_name.end());
            let plain = cx.text[name].replace(['"', '\''], "");
            if is_known {
                actions.fix("quote-name", "Put the name into quotes", || {
                    Some(Change::replace(cx.file, name, format!("\"{plain}\"")))
                });
            }
        }
    }
}

/// How much later a copy starts that another one meets.
const MINUTES: u32 = 15;

/// A schedule that begins with a plain minute starts some minutes later.
fn later(cx: &Context<'_>, range: TextRange, actions: &mut Actions<'_>) {
    let value = &cx.text[range];
    let cron = match value.trim_matches(['"', '\'']) {
        "@hourly" => "0 * * * *",
        "@daily" | "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" | "@annually" => "0 0 1 1 *",
        cron => cron,
    };
    let Some((minute, rest)) = cron.split_once(' ') else { return };
    let Some(minute) = minute.parse::<u32>().ok().map(|m| m + MINUTES).filter(|m| *m < 60) else { return };
    if rest.split_whitespace().count() == 4 {
        let text = format!("{minute} {rest}");
        actions.fix("later", format!("Start {MINUTES} minutes later: `{text}`"), || {
            Some(Change::replace(cx.file, range, text))
        });
    }
}
