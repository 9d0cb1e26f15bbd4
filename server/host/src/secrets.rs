//! Secrets that templates and connections use: sealed in the data folder, with a key that lies elsewhere.
//!
//! A value is sealed with ChaCha20-Poly1305 under a fresh nonce, bound to its name, so that values cannot be exchanged with
//! each other in the file. Whoever copies the data folder has names and sizes.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};

use crate::clock::{Clock, Entropy, hex, rfc3339, unhex};
use crate::files;

/// Bytes of a value at most.
pub const LONGEST: usize = 64 << 10;
/// Secrets of a host at most.
const MOST: usize = 1_000;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Sealed {
    /// Nonce and sealed value, hexadecimal.
    sealed: String,
    changed: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    secrets: BTreeMap<String, Sealed>,
}

/// Where the key is.
#[derive(Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// In this file, which is made when the first secret is.
    File(PathBuf),
    /// Nowhere: there is no home, and no file was named.
    None,
}

/// The secrets of a host.
pub struct SecretStore {
    path: PathBuf,
    key: KeyPlace,
    state: Mutex<State>,
}

struct State {
    file: File,
    open: BTreeMap<String, String>,
}

/// A secret as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedSecret {
    /// Its name.
    pub name: String,
    /// When it was last set, RFC 3339.
    pub changed: String,
}

/// Why a secret is not what was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretError {
    /// It may not be, and why.
    Refused(String),
    /// There is none of that name.
    Missing(String),
    /// Files.
    Storage(String),
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) | Self::Storage(why) => f.write_str(why),
            Self::Missing(name) => write!(f, "there is no secret `{name}`"),
        }
    }
}

impl std::error::Error for SecretError {}

impl SecretStore {
    /// Opens the secrets in `path`.
    ///
    /// # Errors
    ///
    /// When the file is damaged, or there are secrets and the key is not there, or is another one. Nothing is thrown away.
    pub fn open(path: PathBuf, key: KeyPlace) -> Result<Self, String> {
        let file: File = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| {
                format!("{} is damaged: {e}. Mend it, or remove it and set the secrets again", path.display())
            })?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => File::default(),
            Err(e) => return Err(format!("{} cannot be read: {e}", path.display())),
        };
        let mut open = BTreeMap::new();
        if !file.secrets.is_empty() {
            let cipher = key.read()?.ok_or_else(|| {
                format!(
                    "the secrets in {} are sealed with a key that is not there ({}): bring it back, or remove the file and set them again",
                    path.display(),
                    key.place()
                )
            })?;
            for (name, sealed) in &file.secrets {
                let value = unseal(&cipher, name, &sealed.sealed).ok_or_else(|| {
                    format!(
                        "the secret `{name}` in {} does not open with the key in {}: bring the right key back, or remove the file and set the secrets again",
                        path.display(),
                        key.place()
                    )
                })?;
                open.insert(name.clone(), value);
            }
        }
        Ok(Self { path, key, state: Mutex::new(State { file, open }) })
    }

    /// Names and times, by name.
    pub fn list(&self) -> Vec<ListedSecret> {
        let state = self.lock();
        let listed = state.file.secrets.iter();
        listed.map(|(name, s)| ListedSecret { name: name.clone(), changed: s.changed.clone() }).collect()
    }

    /// All of them with their values, for what renders templates.
    pub fn reveal(&self) -> BTreeMap<String, String> {
        self.lock().open.clone()
    }

    /// Sets a secret, new or not.
    ///
    /// # Errors
    ///
    /// When name or value are none, or files cannot be written.
    pub fn set(
        &self,
        name: &str,
        value: &str,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<(), SecretError> {
        let first = name.bytes().next().unwrap_or(b'0');
        let is_word = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_word || first.is_ascii_digit() || name.len() > 200 {
            return Err(SecretError::Refused(
                "the name of a secret is a word of letters, digits and `_`".to_owned(),
            ));
        }
        if value.is_empty() || value.len() > LONGEST {
            return Err(SecretError::Refused(format!("the value of a secret has 1 to {LONGEST} bytes")));
        }
        // Held from here on: two that set the first secret at once would each make a key, and one of them would be lost.
        let mut state = self.lock();
        let cipher = self.key.read_or_make(entropy).map_err(SecretError::Storage)?;
        let sealed = seal(&cipher, name, value, entropy).map_err(SecretError::Storage)?;
        if !state.open.contains_key(name) && state.open.len() >= MOST {
            return Err(SecretError::Refused(format!("there are {MOST} secrets; remove some")));
        }
        let mut secrets = state.file.secrets.clone();
        secrets.insert(name.to_owned(), Sealed { sealed, changed: rfc3339(clock.unix_millis()) });
        self.write(&mut state, secrets)?;
        state.open.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// Takes a secret away.
    ///
    /// # Errors
    ///
    /// When there is none of that name, or the file cannot be written.
    pub fn remove(&self, name: &str) -> Result<(), SecretError> {
        let mut state = self.lock();
        let mut secrets = state.file.secrets.clone();
        if secrets.remove(name).is_none() {
            return Err(SecretError::Missing(name.to_owned()));
        }
        self.write(&mut state, secrets)?;
        state.open.remove(name);
        Ok(())
    }

    fn write(&self, state: &mut State, secrets: BTreeMap<String, Sealed>) -> Result<(), SecretError> {
        let file = File { secrets };
        let text = serde_json::to_vec_pretty(&file).map_err(|e| SecretError::Storage(e.to_string()))?;
        files::write(&self.path, &text)
            .map_err(|e| SecretError::Storage(format!("{} cannot be written: {e}", self.path.display())))?;
        state.file = file;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyPlace {
    fn place(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::None => "no place for keys".to_owned(),
        }
    }

    fn read(&self) -> Result<Option<LessSafeKey>, String> {
        let Self::File(path) = self else { return Ok(None) };
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let bytes =
                    unhex::<32>(text.trim()).ok_or_else(|| format!("{} holds no key", path.display()))?;
                Ok(Some(cipher(&bytes)?))
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(format!("{} cannot be read: {e}", path.display())),
        }
    }

    fn read_or_make(&self, entropy: &dyn Entropy) -> Result<LessSafeKey, String> {
        if let Some(cipher) = self.read()? {
            return Ok(cipher);
        }
        let Self::File(path) = self else {
            return Err(
                "there is no place for the key of secrets: set HOME, or name a file with --secrets-key"
                    .to_owned(),
            );
        };
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes).map_err(|e| format!("no key can be made: {e}"))?;
        let say = |e: std::io::Error| format!("{} cannot be written: {e}", path.display());
        if let Some(folder) = path.parent() {
            files::private_folder(folder).map_err(say)?;
        }
        files::write(path, hex(&bytes).as_bytes()).map_err(say)?;
        cipher(&bytes)
    }
}

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, String> {
    let key =
        UnboundKey::new(&CHACHA20_POLY1305, key).map_err(|_| "the key of secrets is none".to_owned())?;
    Ok(LessSafeKey::new(key))
}

fn seal(cipher: &LessSafeKey, name: &str, value: &str, entropy: &dyn Entropy) -> Result<String, String> {
    let mut nonce = [0; NONCE_LEN];
    entropy.fill(&mut nonce).map_err(|e| format!("a secret cannot be sealed: {e}"))?;
    let mut bytes = value.as_bytes().to_vec();
    cipher
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(name.as_bytes()), &mut bytes)
        .map_err(|_| "a secret cannot be sealed".to_owned())?;
    Ok(hex(&nonce) + &hex(&bytes))
}

fn unseal(cipher: &LessSafeKey, name: &str, sealed: &str) -> Option<String> {
    let (nonce, bytes) = sealed.split_at_checked(NONCE_LEN * 2)?;
    let nonce = unhex::<NONCE_LEN>(nonce)?;
    let mut bytes: Vec<u8> = (0..bytes.len() / 2)
        .map(|n| u8::from_str_radix(bytes.get(2 * n..2 * n + 2)?, 16).ok())
        .collect::<Option<_>>()?;
    let nonce = Nonce::assume_unique_for_key(nonce);
    let open = cipher.open_in_place(nonce, Aad::from(name.as_bytes()), &mut bytes).ok()?;
    String::from_utf8(open.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::System;

    #[test]
    fn secrets_are_sealed_and_bound_to_their_names() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("secrets.json");
        let key = KeyPlace::File(dir.path().join("keys/k.key"));
        let open = || SecretStore::open(path.clone(), key.clone());
        let system = System::new();
        let store = open().expect("opens");
        store.set("PASSWORD", "hunter2, öäü", &system, &system).expect("set");
        store.set("OTHER", "x", &system, &system).expect("set");
        for (name, value, part) in
            [("a b", "x", "a word"), ("1a", "x", "a word"), ("", "x", "a word"), ("A", "", "bytes")]
        {
            let why = store.set(name, value, &system, &system).expect_err(name).to_string();
            assert!(why.contains(part), "{why}");
        }
        let text = std::fs::read_to_string(&path).expect("written");
        assert!(!text.contains("hunter2") && !text.contains(&hex(b"hunter2")), "{text}");
        let again = open().expect("opens");
        assert_eq!(again.reveal().get("PASSWORD").map(String::as_str), Some("hunter2, öäü"));
        assert_eq!(again.list().iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["OTHER", "PASSWORD"]);
        // Values that change places do not open.
        let mut file: File = serde_json::from_str(&text).expect("JSON");
        let moved = file.secrets["PASSWORD"].clone();
        file.secrets.insert("OTHER".to_owned(), moved);
        std::fs::write(&path, serde_json::to_vec(&file).expect("JSON")).expect("written");
        assert!(open().err().expect("moved").contains("`OTHER`"));
        std::fs::write(&path, &text).expect("written");
        let other = KeyPlace::File(dir.path().join("keys/none.key"));
        assert!(SecretStore::open(path.clone(), other).err().expect("no key").contains("bring it back"));
        let store = open().expect("opens");
        store.remove("PASSWORD").expect("there");
        assert_eq!(store.remove("PASSWORD"), Err(SecretError::Missing("PASSWORD".to_owned())));
        assert!(!open().expect("opens").reveal().contains_key("PASSWORD"));
    }
}
