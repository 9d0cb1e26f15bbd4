//! Tokens: at rest there are only their hashes, and a comparison takes as long for a wrong one as for a right one.
//!
//! What a token may do is what it was made with, and what the `TOKEN` lines of the live release grant to its name. A name
//! that a release mentions has no value until somebody makes one: values are shown once, to whoever asked for them.

mod scope;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::clock::{Clock, Entropy, hex, rfc3339, unhex};
use crate::files;
use crate::places::DataFolder;

pub use scope::{Access, Rows, Scope};

/// The name of the token that may do everything.
pub const OWNER: &str = "owner";

/// Tokens that a host keeps at most: each request is compared with all of them.
const MOST: usize = 5_000;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    name: String,
    /// Of the whole token, hexadecimal. A token has 256 bits of chance, so no salt and no slow hash is needed: nobody can
    /// try them all.
    sha256: String,
    /// One that it replaced, for as long as both are good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Previous>,
    /// In the format's words.
    #[serde(default)]
    scopes: Vec<String>,
    created: String,
    /// Milliseconds since 1970 from which on it is worth nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<i64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Previous {
    sha256: String,
    until: i64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    tokens: Vec<Entry>,
}

/// An entry as it is looked up.
struct Known {
    entry: Entry,
    hash: [u8; 32],
    previous: Option<([u8; 32], i64)>,
    scopes: Vec<Scope>,
}

/// The tokens that a host knows.
pub struct Tokens {
    path: PathBuf,
    owner_path: PathBuf,
    known: RwLock<Vec<Known>>,
    /// By the name of a token, what the live release grants it.
    declared: RwLock<BTreeMap<String, Vec<Scope>>>,
}

/// Whose token it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The token's name.
    pub name: String,
    /// What it may do.
    pub access: Access,
}

/// A token as it is listed: nothing in it lets anybody in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// What it was made with.
    pub scopes: Vec<String>,
    /// What the live release grants to its name.
    pub declared: Vec<String>,
    /// Whether it has a value; a name that only a release mentions has none yet.
    pub has_value: bool,
    /// When it was made, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// When it ends, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// Why a token is not what was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenError {
    /// Nobody's.
    Unknown,
    /// It was good until this moment, RFC 3339.
    Expired(String),
    /// There is one of that name.
    Exists(String),
    /// There is none of that name.
    Missing(String),
    /// It may not be done, and why.
    Refused(String),
    /// The file cannot be written.
    Storage(String),
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => {
                f.write_str("this token is not known here: it was mistyped, replaced, or is another host's")
            }
            Self::Expired(when) => write!(f, "this token ended at {when}; ask for a new one"),
            Self::Exists(name) => {
                write!(f, "there is a token `{name}`: give it a new value with refresh, or take another name")
            }
            Self::Missing(name) => write!(f, "there is no token `{name}`"),
            Self::Refused(why) | Self::Storage(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for TokenError {}

/// Time and chance, for what is made.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// Time.
    pub clock: &'a dyn Clock,
    /// Chance.
    pub entropy: &'a dyn Entropy,
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
        let file: File = match std::fs::read(&path) {
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
        let is_known = file.tokens.iter().any(|t| {
            let is_admin = t.scopes.iter().any(|s| *s == Scope::Admin.to_string());
            t.name == OWNER && is_admin && t.sha256 == hex(&digest(own.trim()))
        });
        let known = file
            .tokens
            .into_iter()
            .map(|entry| Known::new(entry).map_err(|why| format!("{}: {why}", path.display())));
        let known = RwLock::new(known.collect::<Result<_, _>>()?);
        let tokens = Self { path, owner_path, known, declared: RwLock::default() };
        if own.trim().is_empty() || !is_known {
            let source = Source { clock, entropy };
            tokens.make_owner(source, Duration::ZERO).map_err(|e| e.to_string())?;
        }
        Ok(tokens)
    }

    /// From now on, names of tokens are granted what a release says, and nothing that one before it said.
    pub fn declare(&self, declared: BTreeMap<String, Vec<Scope>>) {
        *self.declared.write().unwrap_or_else(PoisonError::into_inner) = declared;
    }

    /// Whose token `text` is at a moment, milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// When it is nobody's, or not good any more.
    pub fn holder(&self, text: &str, now: i64) -> Result<Holder, TokenError> {
        let digest = digest(text);
        let mut found = None;
        let known = self.read();
        // All of them, always: that somebody's token is the third one is nobody's business.
        for one in known.iter() {
            let is_it = bool::from(one.hash.as_slice().ct_eq(&digest));
            let was_it = one
                .previous
                .as_ref()
                .is_some_and(|(hash, until)| bool::from(hash.as_slice().ct_eq(&digest)) && now < *until);
            if is_it || was_it {
                found = Some(one);
            }
        }
        let one = found.ok_or(TokenError::Unknown)?;
        if let Some(end) = one.entry.expires.filter(|end| now >= *end) {
            return Err(TokenError::Expired(rfc3339(end)));
        }
        let mut scopes = one.scopes.clone();
        scopes.extend(self.declared(&one.entry.name));
        Ok(Holder { name: one.entry.name.clone(), access: Access::new(scopes) })
    }

    /// All of them, and the names that a release mentions, by name.
    pub fn list(&self) -> Vec<Listed> {
        let texts = |scopes: &[Scope]| scopes.iter().map(Scope::to_string).collect::<Vec<_>>();
        let declared = self.declared.read().unwrap_or_else(PoisonError::into_inner);
        let known = self.read();
        let mut out: BTreeMap<&str, Listed> = BTreeMap::new();
        for one in known.iter() {
            let listed = Listed {
                name: one.entry.name.clone(),
                scopes: one.entry.scopes.clone(),
                declared: Vec::new(),
                has_value: true,
                created: Some(one.entry.created.clone()),
                expires: one.entry.expires.map(rfc3339),
            };
            out.insert(&one.entry.name, listed);
        }
        for (name, scopes) in declared.iter() {
            let listed = out.entry(name).or_insert_with(|| Listed {
                name: name.clone(),
                scopes: Vec::new(),
                declared: Vec::new(),
                has_value: false,
                created: None,
                expires: None,
            });
            listed.declared = texts(scopes);
        }
        out.into_values().collect()
    }

    /// What a token of that name may do, whether it has a value or not.
    pub fn access(&self, name: &str) -> Option<Access> {
        let declared = self.declared(name);
        let known = self.read();
        let own = known.iter().find(|k| k.entry.name == name).map(|k| k.scopes.clone());
        if own.is_none() && declared.is_empty() {
            return None;
        }
        Some(Access::new(own.into_iter().flatten().chain(declared).collect()))
    }

    /// Makes a token and says its value, which is kept nowhere. `expires` in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// When there is one of that name, the name is none, or nothing can be written.
    pub fn create(
        &self,
        name: &str,
        scopes: &[Scope],
        expires: Option<i64>,
        source: Source<'_>,
    ) -> Result<String, TokenError> {
        let is_fine = (1..=200).contains(&name.chars().count()) && !name.chars().any(char::is_control);
        if !is_fine {
            return Err(TokenError::Refused(
                "a token's name has 1 to 200 letters, none of them a control character".to_owned(),
            ));
        }
        if scopes.is_empty() && self.declared(name).is_empty() {
            return Err(TokenError::Refused(format!(
                "`{name}` would be good for nothing: give it scopes, or mention it in a TOKEN line of what is deployed"
            )));
        }
        self.change(|entries| {
            if entries.iter().any(|e| e.name == name) {
                return Err(TokenError::Exists(name.to_owned()));
            }
            if entries.len() >= MOST {
                return Err(TokenError::Refused(format!("there are {MOST} tokens; remove some")));
            }
            let token = make(source.entropy)?;
            entries.push(Entry {
                name: name.to_owned(),
                sha256: hex(&digest(&token)),
                previous: None,
                scopes: scopes.iter().map(Scope::to_string).collect(),
                created: rfc3339(source.clock.unix_millis()),
                expires,
            });
            Ok(token)
        })
    }

    /// Gives a token a new value and says it. The old one is good for a while longer, so that whoever uses it can be told.
    ///
    /// # Errors
    ///
    /// When there is none of that name, or nothing can be written.
    pub fn refresh(&self, name: &str, keep_old: Duration, source: Source<'_>) -> Result<String, TokenError> {
        if name == OWNER {
            return self.make_owner(source, keep_old);
        }
        self.change(|entries| {
            let entry = entries.iter_mut().find(|e| e.name == name);
            let entry = entry.ok_or_else(|| TokenError::Missing(name.to_owned()))?;
            let token = make(source.entropy)?;
            entry.replace(&token, keep_old, source.clock.unix_millis());
            Ok(token)
        })
    }

    /// Takes a token away.
    ///
    /// # Errors
    ///
    /// When there is none of that name, it is the owner's, or nothing can be written.
    pub fn remove(&self, name: &str) -> Result<(), TokenError> {
        if name == OWNER {
            let message = "the owner's token is what lets commands in on this machine; refresh it instead";
            return Err(TokenError::Refused(message.to_owned()));
        }
        self.change(|entries| {
            let before = entries.len();
            entries.retain(|e| e.name != name);
            if entries.len() == before {
                return Err(TokenError::Missing(name.to_owned()));
            }
            Ok(())
        })
    }

    /// The owner's, into its file as well.
    fn make_owner(&self, source: Source<'_>, keep_old: Duration) -> Result<String, TokenError> {
        let now = source.clock.unix_millis();
        self.change(|entries| {
            let token = make(source.entropy)?;
            match entries.iter_mut().find(|e| e.name == OWNER) {
                Some(entry) => {
                    entry.replace(&token, keep_old, now);
                    entry.scopes = vec![Scope::Admin.to_string()];
                }
                None => entries.push(Entry {
                    name: OWNER.to_owned(),
                    sha256: hex(&digest(&token)),
                    previous: None,
                    scopes: vec![Scope::Admin.to_string()],
                    created: rfc3339(now),
                    expires: None,
                }),
            }
            // Before the hash: a file whose token is not known is noticed at the next start, and mended.
            write(&self.owner_path, token.as_bytes())?;
            Ok(token)
        })
    }

    /// Changes what is kept: on disk first, then for those who ask.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Vec<Entry>) -> Result<T, TokenError>,
    ) -> Result<T, TokenError> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let mut entries: Vec<Entry> = known.iter().map(|k| k.entry.clone()).collect();
        let result = change(&mut entries)?;
        let file = File { tokens: entries };
        let text = serde_json::to_vec_pretty(&file).map_err(|e| TokenError::Storage(e.to_string()))?;
        let new =
            file.tokens.into_iter().map(Known::new).collect::<Result<_, _>>().map_err(TokenError::Storage)?;
        write(&self.path, &text)?;
        *known = new;
        Ok(result)
    }

    fn declared(&self, name: &str) -> Vec<Scope> {
        let declared = self.declared.read().unwrap_or_else(PoisonError::into_inner);
        declared.get(name).cloned().unwrap_or_default()
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn replace(&mut self, token: &str, keep_old: Duration, now: i64) {
        let old = std::mem::replace(&mut self.sha256, hex(&digest(token)));
        let kept = i64::try_from(keep_old.as_millis()).unwrap_or(i64::MAX);
        self.previous = (kept > 0).then(|| Previous { sha256: old, until: now.saturating_add(kept) });
    }
}

impl Known {
    fn new(entry: Entry) -> Result<Self, String> {
        let damaged = || format!("the hash of `{}` is damaged", entry.name);
        let hash = unhex(&entry.sha256).ok_or_else(damaged)?;
        let previous = match &entry.previous {
            Some(previous) => Some((unhex(&previous.sha256).ok_or_else(damaged)?, previous.until)),
            None => None,
        };
        let scopes = entry.scopes.iter().map(|text| Scope::parse(text));
        let scopes = scopes.collect::<Result<_, _>>().map_err(|why| format!("`{}`: {why}", entry.name))?;
        Ok(Self { hash, previous, scopes, entry })
    }
}

fn write(path: &Path, content: &[u8]) -> Result<(), TokenError> {
    files::write(path, content)
        .map_err(|e| TokenError::Storage(format!("{} cannot be written: {e}", path.display())))
}

fn make(entropy: &dyn Entropy) -> Result<String, TokenError> {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes).map_err(|e| TokenError::Storage(format!("no token can be made: {e}")))?;
    // The prefix lets scanners of repositories find one that was committed.
    Ok(format!("hw_{}", hex(&bytes)))
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
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
        let holder = tokens.holder(&own, 0).expect("known");
        assert!(holder.name == OWNER && holder.access.is_admin());
        for wrong in ["", "hw_", &own[..own.len() - 1], &format!("{own}0")] {
            assert_eq!(tokens.holder(wrong, 0), Err(TokenError::Unknown), "{wrong}");
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
        assert!(new != old && tokens.holder(&old, 0).is_err() && tokens.holder(&new, 0).is_ok());
        std::fs::write(folder.tokens(), "{").expect("written");
        assert!(open(&folder).err().expect("damaged").contains("is damaged"));
    }

    /// A clock that stands, and chance.
    struct Still(i64);

    impl Clock for Still {
        fn unix_millis(&self) -> i64 {
            self.0
        }
        fn elapsed(&self) -> Duration {
            Duration::ZERO
        }
    }

    #[test]
    fn tokens_are_made_replaced_and_taken_away() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = DataFolder::make(dir.path()).expect("a folder");
        let system = System::new();
        let source = Source { clock: &Still(1_000), entropy: &system };
        let append = [Scope::Append("events".to_owned())];
        let tokens = open(&folder).expect("tokens");
        let value = tokens.create("tracker", &append, Some(5_000), source).expect("made");
        assert_eq!(
            tokens.create("tracker", &append, None, source),
            Err(TokenError::Exists("tracker".to_owned()))
        );
        assert!(
            tokens
                .create("idle", &[], None, source)
                .expect_err("good for nothing")
                .to_string()
                .contains("TOKEN line")
        );
        // As it stands on the disk.
        let tokens = open(&folder).expect("tokens");
        let holder = tokens.holder(&value, 4_999).expect("known");
        assert!(
            holder.access.may_append("events")
                && !holder.access.may_append("other")
                && !holder.access.is_admin()
        );
        assert!(matches!(tokens.holder(&value, 5_000), Err(TokenError::Expired(_))));

        let new = tokens.refresh("tracker", Duration::from_secs(2), source).expect("replaced");
        for (now, old_is_good) in [(2_999, true), (3_000, false)] {
            assert_eq!(tokens.holder(&value, now).is_ok(), old_is_good, "{now}");
            assert!(tokens.holder(&new, now).is_ok());
        }
        let newest = tokens.refresh("tracker", Duration::ZERO, source).expect("replaced");
        assert!(tokens.holder(&new, 0).is_err() && tokens.holder(&newest, 0).is_ok());
        let own = std::fs::read_to_string(folder.owner_token()).expect("a token");
        let owner = tokens.refresh(OWNER, Duration::ZERO, source).expect("replaced");
        assert_eq!(std::fs::read_to_string(folder.owner_token()).expect("a token"), owner);
        assert!(tokens.holder(&own, 0).is_err() && tokens.holder(&owner, 0).is_ok());
        assert!(tokens.remove(OWNER).is_err());
        tokens.remove("tracker").expect("there");
        assert_eq!(tokens.remove("tracker"), Err(TokenError::Missing("tracker".to_owned())));
        assert!(tokens.holder(&newest, 0).is_err());
    }

    #[test]
    fn names_are_granted_what_the_live_release_says() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = DataFolder::make(dir.path()).expect("a folder");
        let system = System::new();
        let source = Source { clock: &system, entropy: &system };
        let tokens = open(&folder).expect("tokens");
        let grant = |text: &str| BTreeMap::from([("dash".to_owned(), vec![Scope::parse(text).expect(text)])]);
        tokens.declare(grant("PIPES:READ:top"));
        let listed: Vec<_> = tokens.list().into_iter().map(|t| (t.name, t.has_value, t.declared)).collect();
        assert_eq!(listed[0], ("dash".to_owned(), false, vec!["PIPES:READ:top".to_owned()]));
        let value = tokens.create("dash", &[], None, source).expect("made");
        let may = |pipe| tokens.holder(&value, 0).expect("known").access.may_ask(pipe);
        assert!(may("top") && !may("other"));
        tokens.declare(grant("PIPES:READ:other"));
        assert!(!may("top") && may("other"));
        tokens.declare(BTreeMap::new());
        assert!(!may("other"));
    }
}
