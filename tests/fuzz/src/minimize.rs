//! Shrinks what fails to what is needed to fail.

/// The shortest list that this finds among the sublists of `items` for which `fails` holds, by removing ever smaller
/// runs (ddmin without its complements' bookkeeping). Asks at most `budget` times.
pub fn items<T: Clone>(items: &[T], budget: &mut usize, mut fails: impl FnMut(&[T]) -> bool) -> Vec<T> {
    let mut best = items.to_vec();
    let mut chunk = best.len().div_ceil(2);
    while chunk > 0 {
        let mut at = 0;
        let mut removed = false;
        while at < best.len() {
            if *budget == 0 {
                return best;
            }
            *budget -= 1;
            let end = (at + chunk).min(best.len());
            let shorter = [&best[..at], &best[end..]].concat();
            if fails(&shorter) {
                best = shorter;
                removed = true;
            } else {
                at = end;
            }
        }
        if !removed || chunk > best.len() {
            chunk = if chunk == 1 && removed { 1 } else { chunk / 2 };
        }
    }
    best
}

/// A shorter text for which `fails` still holds: fewer lines, then fewer characters, then plainer ones.
pub fn text(text: &str, budget: &mut usize, mut fails: impl FnMut(&str) -> bool) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let best = items(&lines, budget, |lines| fails(&lines.concat())).concat();
    let chars: Vec<char> = best.chars().collect();
    let mut chars = items(&chars, budget, |chars| fails(&chars.iter().collect::<String>()));
    for at in 0..chars.len() {
        for plain in ['a', ' ', '0'] {
            let c = chars[at];
            if c == plain || *budget == 0 || c.is_ascii() && !c.is_alphanumeric() {
                continue;
            }
            *budget -= 1;
            chars[at] = plain;
            if fails(&chars.iter().collect::<String>()) {
                break;
            }
            chars[at] = c;
        }
    }
    chars.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_needed_is_left() {
        let long = "one\ntwo {{ three\nfour\nfive }} six\n".repeat(20);
        let shrunk = text(&long, &mut 10_000, |t| t.contains("{{") && t.contains("}}"));
        assert_eq!(shrunk, "{{}}");
        assert_eq!(items(&[1, 2, 3, 4, 5, 6, 7], &mut 1000, |l| l.contains(&3) && l.contains(&7)), [3, 7]);
        let mut spent = 3;
        text(&long, &mut spent, |t| t.contains("{{"));
        assert_eq!(spent, 0);
    }
}
