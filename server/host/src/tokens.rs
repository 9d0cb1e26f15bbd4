//! Tokens: at rest there are only their hashes, and a comparison takes as long for a wrong one as for a right one.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::clock::{Clock, Entropy, hex, rfc3339};
use crate::files;
use crate::places::DataFolder;

/// The name of the token that may do everything.
pub const OWNER: &str = "owner";

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Scope {
    /// Everything.
    Admin,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    name: String,
    /// Of the whole token, hexadecimal. A token has 256 bits of chance, so no salt and no slow hash is needed: nobody can
    /// try them all.
    sha256: String,
    scope: Scope,
    created: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    tokens: Vec<Entry>,
}

/// The tokens that a host knows.
#[derive(Debug)]
pub struct Tokens {
    entries: Vec<(String, Scope, [u8; 32])>,
}

/// Whose token it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The token's name.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
}

impl Tokens {
    /// Reads the tokens of a data folder. The owner's is made when there is none, or when its file does not hold what was
    /// hashed.
    ///
    /// # Errors
    ///
    /// When files cannot be read or written, with their names. A damaged file is never replaced by an empty one: it may
    /// hold tokens of others.
    pub fn open(folder: &DataFolder, clock: &dyn Clock, entropy: &dyn Entropy) -> Result<Self, String> {
        let path = folder.tokens();
        let mut file: File = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| {
                format!(
                    "{} is damaged: {e}. Mend it, or remove it: all tokens but the owner's are lost then",
                    path.display()
                )
            })?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => File::default(),
            Err(e) => return Err(format!("{} cannot be read: {e}", path.display())),
        };
        let owner_path = folder.owner_token();
        let own = std::fs::read_to_string(&owner_path).unwrap_or_default();
        let known = file.tokens.iter().any(|t| t.name == OWNER && t.sha256 == hex(&digest(own.trim())));
        if own.trim().is_empty() || !known {
            let token = make(entropy).map_err(|e| format!("no token can be made: {e}"))?;
            file.tokens.retain(|t| t.name != OWNER);
            file.tokens.push(Entry {
                name: OWNER.to_owned(),
                sha256: hex(&digest(&token)),
                scope: Scope::Admin,
                created: rfc3339(clock.unix_millis()),
            });
            let text = serde_json::to_vec_pretty(&file).map_err(|e| e.to_string())?;
            let write = |path: &Path, content: &[u8]| {
                files::write(path, content).map_err(|e| format!("{} cannot be written: {e}", path.display()))
            };
            write(&owner_path, token.as_bytes())?;
            write(&path, &text)?;
        }
        let entries = file.tokens.into_iter().map(|t| {
            let hash = unhex(&t.sha256)
                .ok_or_else(|| format!("{}: the hash of `{}` is damaged", path.display(), t.name))?;
            Ok((t.name, t.scope, hash))
        });
        Ok(Self { entries: entries.collect::<Result<_, String>>()? })
    }

    /// Whose token `text` is.
    pub fn holder(&self, text: &str) -> Option<Holder> {
        let digest = digest(text);
        let mut found = None;
        // All of them, always: that somebody's token is the third one is nobody's business.
        for (name, scope, hash) in &self.entries {
            if bool::from(hash.as_slice().ct_eq(&digest)) {
                found = Some(Holder { name: name.clone(), scope: *scope });
            }
        }
        found
    }
}

fn make(entropy: &dyn Entropy) -> std::io::Result<String> {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes)?;
    // The prefix lets scanners of repositories find one that was committed.
    Ok(format!("hw_{}", hex(&bytes)))
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * n..2 * n + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::clock::System;

    fn open(folder: &DataFolder) -> Result<Tokens, String> {
        let system = System::new();
        Tokens::open(folder, &system, &system)
    }

    #[test]
    fn the_owners_token_is_made_once_and_stored_as_a_hash() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = DataFolder::make(dir.path()).expect("a folder");
        let tokens = open(&folder).expect("tokens");
        let own = std::fs::read_to_string(folder.owner_token()).expect("a token");
        let holder = tokens.holder(&own).expect("known");
        assert_eq!((holder.name.as_str(), holder.scope), (OWNER, Scope::Admin));
        for wrong in ["", "hw_", &own[..own.len() - 1], &format!("{own}0")] {
            assert_eq!(tokens.holder(wrong), None, "{wrong}");
        }
        let at_rest = std::fs::read_to_string(folder.tokens()).expect("a file");
        assert!(!at_rest.contains(&own[3..20]), "{at_rest}");
        for file in [folder.tokens(), folder.owner_token()] {
            assert_eq!(std::fs::metadata(&file).expect("there").mode() & 0o777, 0o600, "{}", file.display());
        }
        open(&folder).expect("tokens");
        assert_eq!(std::fs::read_to_string(folder.owner_token()).expect("a token"), own);
    }

    #[test]
    fn a_lost_token_is_made_anew_and_the_old_one_is_worth_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = DataFolder::make(dir.path()).expect("a folder");
        open(&folder).expect("tokens");
        let old = std::fs::read_to_string(folder.owner_token()).expect("a token");
        std::fs::remove_file(folder.owner_token()).expect("removed");
        let tokens = open(&folder).expect("tokens");
        let new = std::fs::read_to_string(folder.owner_token()).expect("a token");
        assert!(new != old && tokens.holder(&old).is_none() && tokens.holder(&new).is_some());
        std::fs::write(folder.tokens(), "{").expect("written");
        assert!(open(&folder).expect_err("damaged").contains("is damaged"));
    }
}
