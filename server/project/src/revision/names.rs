//! From what people call a commit to the commit.

use gix_hash::{ObjectId, Prefix, oid};
use gix_object::Kind;
use gix_odb::{HandleArc, HeaderExt};
use gix_ref::{PartialNameRef, Target};

use super::git::Repository;
use super::limits::{MAX_STEPS, MAX_SYMBOLIC, MAX_TAGS};
use super::{CommitId, Found, RevisionError};

/// One step from a commit to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// `~n`: this many times to the first parent.
    Back(usize),
    /// `^n`: to this parent, counted from 1; 0 stays.
    Parent(usize),
}

/// A revision, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Revision<'a> {
    name: &'a str,
    steps: Vec<Step>,
}

impl<'a> Revision<'a> {
    fn parse(text: &'a str) -> Result<Self, RevisionError> {
        let not_understood = || {
            RevisionError(format!(
                "the revision `{text}` is not understood; name a branch, a tag or a commit, with `~n` or `^n` behind it \
                 to go back from there"
            ))
        };
        let end = text.find(['~', '^']).unwrap_or(text.len());
        let (name, mut rest) = text.split_at(end);
        let name = if name == "@" { "HEAD" } else { name };
        let known =
            !name.is_empty() && !name.contains(['@', ':', ' ', '*', '?', '[', '\\']) && !name.contains("..");
        if !known || name.starts_with('-') {
            return Err(not_understood());
        }
        let mut steps = Vec::new();
        let mut total = 0_usize;
        while !rest.is_empty() {
            let (back, tail) = match (rest.strip_prefix('~'), rest.strip_prefix('^')) {
                (Some(tail), _) => (true, tail),
                (None, Some(tail)) => (false, tail),
                (None, None) => return Err(not_understood()),
            };
            let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
            let number = match &tail[..digits] {
                "" => 1,
                number => number.parse().map_err(|_| not_understood())?,
            };
            rest = &tail[digits..];
            steps.push(if back { Step::Back(number) } else { Step::Parent(number) });
            total = total.saturating_add(if back { number } else { 1 });
        }
        if total > MAX_STEPS {
            return Err(RevisionError(format!(
                "the revision `{text}` goes back more than {MAX_STEPS} commits; name the commit by its hash"
            )));
        }
        Ok(Self { name, steps })
    }
}

impl Repository {
    pub(super) fn find(&self, text: &str) -> Result<Found, RevisionError> {
        let text = text.trim();
        let revision = Revision::parse(text)?;
        let mut objects = None;
        let mut id = match self.named(revision.name)? {
            Named::Nothing => self.hashed(&mut objects, revision.name)?.ok_or_else(|| self.unknown(text))?,
            Named::Unborn => return Ok(Found::NoCommit),
            Named::Commit(id) if revision.steps.is_empty() => return Ok(commit(&id)),
            Named::Commit(id) | Named::Object(id) => id,
        };
        let objects = self.opened(&mut objects)?;
        id = self.peeled(objects, id)?;
        for step in revision.steps {
            id = self.walked(objects, id, step, text)?;
        }
        Ok(commit(&id))
    }

    fn opened<'a>(&self, objects: &'a mut Option<HandleArc>) -> Result<&'a HandleArc, RevisionError> {
        if objects.is_none() {
            *objects = Some(self.objects()?);
        }
        objects.as_ref().ok_or_else(|| self.damaged(&"no objects"))
    }

    fn unknown(&self, text: &str) -> RevisionError {
        RevisionError(format!(
            "there is no revision `{text}`; `git branch --all` and `git tag` list the names, and a name that only the \
             remote has needs `git fetch`"
        ))
    }

    /// What the references say.
    fn named(&self, name: &str) -> Result<Named, RevisionError> {
        let linked = self.git_dir != self.common_dir;
        let store = if linked {
            let (own, shared) = (self.git_dir.clone(), self.common_dir.clone());
            gix_ref::file::Store::for_linked_worktree(own, shared, self.kind)
        } else {
            gix_ref::file::Store::at(self.git_dir.clone(), self.kind)
        };
        let find = |name: &str| {
            let Ok(partial) = <&PartialNameRef>::try_from(name) else { return Ok(None) };
            self.refuse_devices(name)?;
            store.try_find(partial).map_err(|error| self.damaged(&error))
        };
        let Some(mut reference) = find(name)? else { return Ok(Named::Nothing) };
        for _ in 0..=MAX_SYMBOLIC {
            match reference.target {
                Target::Object(id) => {
                    let full = reference.name.as_bstr();
                    let is_branch = full == "HEAD" || full.starts_with(b"refs/heads/");
                    return Ok(if is_branch { Named::Commit(id) } else { Named::Object(id) });
                }
                Target::Symbolic(target) => {
                    let target = target.as_bstr().to_string();
                    match find(&target)? {
                        Some(next) => reference = next,
                        None if name == "HEAD" => return Ok(Named::Unborn),
                        None => return Ok(Named::Nothing),
                    }
                }
            }
        }
        Err(self.damaged(&format_args!("`{name}` is a symbolic reference that leads nowhere")))
    }

    /// Reading a pipe or a device that lies where a reference should be would wait for ever.
    fn refuse_devices(&self, name: &str) -> Result<(), RevisionError> {
        for folder in [&self.git_dir, &self.common_dir] {
            for prefix in ["", "refs", "refs/tags", "refs/heads", "refs/remotes"] {
                let path = folder.join(prefix).join(name);
                if std::fs::metadata(&path).is_ok_and(|m| !m.is_file() && !m.is_dir()) {
                    return Err(self.damaged(&format_args!("{} is no regular file", path.display())));
                }
            }
        }
        Ok(())
    }

    /// The object whose hash this is, or begins like this.
    fn hashed(&self, objects: &mut Option<HandleArc>, name: &str) -> Result<Option<ObjectId>, RevisionError> {
        let hexadecimal = name.len() >= 4 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !hexadecimal || name.len() > self.kind.len_in_hex() {
            return Ok(None);
        }
        let objects = self.opened(objects)?;
        // `Prefix::from_hex` takes every beginning for one of a SHA-1.
        let whole = format!("{:0<width$}", name.to_ascii_lowercase(), width = self.kind.len_in_hex());
        let id = ObjectId::from_hex(whole.as_bytes()).map_err(|error| self.damaged(&error))?;
        if name.len() == whole.len() {
            return Ok(Some(id));
        }
        let prefix = Prefix::new(&id, name.len()).map_err(|error| self.damaged(&error))?;
        let mut candidates = std::collections::HashSet::new();
        objects.lookup_prefix(prefix, Some(&mut candidates)).map_err(|error| self.damaged(&error))?;
        // Files and folders have hashes too; only commits, and tags of them, are meant.
        candidates
            .retain(|id| objects.header(id).is_ok_and(|h| matches!(h.kind(), Kind::Commit | Kind::Tag)));
        if candidates.len() > 1 {
            return Err(RevisionError(format!(
                "`{name}` is the beginning of {} commits; write more of the hash",
                candidates.len()
            )));
        }
        Ok(candidates.into_iter().next())
    }

    fn peeled(&self, objects: &HandleArc, mut id: ObjectId) -> Result<ObjectId, RevisionError> {
        let mut buffer = Vec::new();
        for _ in 0..=MAX_TAGS {
            let object = self.object(objects, &id, &mut buffer)?;
            match object.kind {
                Kind::Commit => return Ok(id),
                Kind::Tag => {
                    let tag = gix_object::TagRefIter::from_bytes(object.data, self.kind);
                    id = tag.target_id().map_err(|error| self.damaged(&error))?;
                }
                other => {
                    let short = id.to_hex_with_len(10);
                    return Err(RevisionError(format!("{short} is a {other} and no commit; name a commit")));
                }
            }
        }
        Err(self.damaged(&"a tag of a tag of a tag, without end"))
    }

    fn walked(
        &self,
        objects: &HandleArc,
        mut id: ObjectId,
        step: Step,
        text: &str,
    ) -> Result<ObjectId, RevisionError> {
        let (times, parent) = match step {
            Step::Back(times) => (times, 0),
            Step::Parent(0) => return Ok(id),
            Step::Parent(number) => (1, number - 1),
        };
        let mut buffer = Vec::new();
        for _ in 0..times {
            self.object(objects, &id, &mut buffer)?;
            let commit = gix_object::CommitRefIter::from_bytes(&buffer, self.kind);
            let next = commit.parent_ids().nth(parent);
            id = next.ok_or_else(|| {
                let short = id.to_hex_with_len(10);
                RevisionError(format!("there is no revision `{text}`: commit {short} has no such parent"))
            })?;
        }
        // A shallow clone names parents that it does not have.
        self.object(objects, &id, &mut buffer)?;
        Ok(id)
    }

    /// The folder that a commit records.
    pub(super) fn tree_of(&self, objects: &HandleArc, id: &oid) -> Result<ObjectId, RevisionError> {
        let mut buffer = Vec::new();
        let commit = self.object(objects, id, &mut buffer)?;
        let Some(mut commit) = commit.try_into_commit_iter() else {
            return Err(self.damaged(&format_args!("{} is no commit", id.to_hex_with_len(10))));
        };
        commit.tree_id().map_err(|error| self.damaged(&error))
    }

    fn object<'a>(
        &self,
        objects: &HandleArc,
        id: &oid,
        buffer: &'a mut Vec<u8>,
    ) -> Result<gix_object::Data<'a>, RevisionError> {
        use gix_object::Find;
        match objects.try_find(id, buffer) {
            Ok(Some(object)) => match object.verify_checksum(id) {
                Ok(_) => Ok(object),
                Err(error) => Err(self.damaged(&error)),
            },
            Ok(None) => {
                let short = id.to_hex_with_len(10);
                Err(RevisionError(format!("commit {short} is not in the repository: {}", self.why_missing())))
            }
            Err(error) => Err(self.damaged(&error)),
        }
    }
}

enum Named {
    Nothing,
    /// `HEAD` of a repository without commits.
    Unborn,
    /// A branch: nothing but commits can be there.
    Commit(ObjectId),
    /// A tag or something else.
    Object(ObjectId),
}

fn commit(id: &oid) -> Found {
    Found::Commit(CommitId::new(id.to_hex().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_are_a_name_and_steps() {
        use Step::{Back, Parent};
        let cases: &[(&str, &str, &[Step])] = &[
            ("HEAD", "HEAD", &[]),
            ("@", "HEAD", &[]),
            ("@~2", "HEAD", &[Back(2)]),
            ("origin/main", "origin/main", &[]),
            ("v1.0^", "v1.0", &[Parent(1)]),
            ("a~~", "a", &[Back(1), Back(1)]),
            ("a^2~3^0", "a", &[Parent(2), Back(3), Parent(0)]),
            ("é~1", "é", &[Back(1)]),
        ];
        for (text, name, steps) in cases {
            assert_eq!(Revision::parse(text), Ok(Revision { name, steps: steps.to_vec() }), "{text}");
        }
    }

    #[test]
    fn what_git_would_search_for_is_refused() {
        for text in [
            "",
            "~1",
            "^main",
            "HEAD@{1}",
            "@{u}",
            ":/fix",
            "HEAD:a.pipe",
            "a..b",
            "HEAD^{tree}",
            "HEAD~x",
            "-x",
            "HEAD~99999999999999999999",
            "HEAD~10001",
            "HEAD^é",
            "a b",
        ] {
            assert!(Revision::parse(text).is_err(), "{text}");
        }
    }
}
