//! The audit trail: who did what, to what, and from where; written in the transaction that does it, and never changed afterwards.
//!
//! A verb that changes something takes the [`Actor`] it does it for and calls [`record`] beside the change: either both last or neither.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::clock::UtcTime;
use crate::db::keyset::{Part, Slice};
use crate::db::models::audit_entries::{self, AuditEntry, EntryFilter, Place};
use crate::db::models::documents::{Document, NewDocument};
use crate::db::models::users::User;
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::ids::{AuditEntryId, DocumentId, UserId};
use crate::services::Services;
use crate::services::identity::{Identity, Means};

/// Entries of one document that are shown on its page.
const OF_DOCUMENT: i64 = 100;

/// Who does something, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    user: Option<UserId>,
    name: String,
    means: &'static str,
    ip: String,
}

impl Actor {
    /// Somebody who has not shown who they are, by the name they gave.
    pub fn nobody(name: &str, ip: &str) -> Self {
        Actor {
            user: None,
            name: name.to_owned(),
            means: "nobody",
            ip: ip.to_owned(),
        }
    }

    /// A user who has just shown who they are.
    pub fn of_user(user: &User, ip: &str) -> Self {
        Actor {
            user: Some(user.id),
            name: user.email.clone(),
            means: "session",
            ip: ip.to_owned(),
        }
    }

    /// Whoever may run commands on the server.
    pub fn command() -> Self {
        Self::without_address("the command line", "command")
    }

    /// Filestack, by an event.
    pub fn filestack() -> Self {
        Self::without_address("Filestack", "filestack")
    }

    /// The server itself, on a schedule.
    pub fn server() -> Self {
        Self::without_address("the server", "server")
    }

    /// Who, in words.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn without_address(name: &str, means: &'static str) -> Self {
        Actor {
            user: None,
            name: name.to_owned(),
            means,
            ip: String::new(),
        }
    }
}

impl From<&Identity> for Actor {
    fn from(identity: &Identity) -> Self {
        Actor {
            user: Some(identity.user.id),
            name: identity.user.email.clone(),
            means: match identity.means {
                Means::Session => "session",
                Means::ApiToken => "token",
            },
            ip: identity.ip.clone(),
        }
    }
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Somebody has signed in.
    SignedIn,
    /// Somebody has tried to sign in, with a wrong password or for an account that is not there.
    SignInFailed,
    /// A session was ended by who had begun it.
    SignedOut,
    /// The first administrator was made.
    SetUp,
    /// A document was made of an upload.
    DocumentAdded,
    /// A document has another name.
    DocumentRenamed,
    /// A document has other tags.
    DocumentTagged,
    /// A document has another note.
    DocumentNoted,
    /// A file that a browser had stored did not become a document.
    UploadRefused,
    /// What somebody may keep was set or taken away.
    QuotaSet,
    /// An adopted document took its owner over the quota.
    QuotaExceeded,
    /// A document is put into the trash.
    DocumentTrashed,
    /// A document is taken out of the trash.
    DocumentRestored,
    /// A document is gone for good, and its file is to go.
    DocumentPurged,
    /// An account was made.
    UserCreated,
    /// Somebody was invited.
    UserInvited,
    /// An account may no longer sign in.
    UserDisabled,
    /// It may again.
    UserEnabled,
    /// A user has another role.
    RoleChanged,
    /// A link to choose another password was made.
    PasswordLinkMade,
    /// Somebody chose a password with a link.
    PasswordChosen,
    /// Somebody changed their password.
    PasswordChanged,
    /// Sessions were ended.
    SessionsEnded,
    /// An API token was made.
    TokenMade,
    /// An API token was revoked.
    TokenRevoked,
    /// A document's file has other content.
    DocumentOverwritten,
    /// A virus was found in a document, or it was found clean after all.
    DocumentJudged,
    /// A document's file is no longer at Filestack.
    FileGone,
    /// A file was removed at Filestack.
    FileRemoved,
    /// An administrator has opened somebody else's document.
    DocumentOpened,
    /// An event is applied again.
    EventReplayed,
    /// A sample of an event was sent.
    SampleSent,
    /// A job is tried again, or now.
    JobRetried,
    /// A job is called off.
    JobCancelled,
}

impl Action {
    /// All of them, in the order of a filter.
    pub const ALL: &[Action] = &[
        Action::DocumentRenamed,
        Action::DocumentTagged,
        Action::DocumentNoted,
        Action::UploadRefused,
        Action::QuotaSet,
        Action::QuotaExceeded,
        Action::DocumentTrashed,
        Action::DocumentRestored,
        Action::DocumentPurged,
        Action::UserCreated,
        Action::UserInvited,
        Action::UserDisabled,
        Action::UserEnabled,
        Action::RoleChanged,
        Action::PasswordLinkMade,
        Action::PasswordChosen,
        Action::PasswordChanged,
        Action::SessionsEnded,
        Action::TokenMade,
        Action::TokenRevoked,
        Action::SignedIn,
        Action::SignInFailed,
        Action::SignedOut,
        Action::SetUp,
        Action::DocumentAdded,
        Action::DocumentOverwritten,
        Action::DocumentJudged,
        Action::DocumentOpened,
        Action::FileGone,
        Action::FileRemoved,
        Action::EventReplayed,
        Action::SampleSent,
        Action::JobRetried,
        Action::JobCancelled,
    ];

    /// The word in the trail: what it is about, a dot, what is done.
    pub fn as_str(self) -> &'static str {
        self.words().0
    }

    /// What people read.
    pub fn label(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Action::DocumentRenamed => ("document.rename", "Document renamed"),
            Action::DocumentTagged => ("document.tag", "Tags changed"),
            Action::DocumentNoted => ("document.note", "Note changed"),
            Action::UploadRefused => ("upload.refuse", "Upload refused"),
            Action::QuotaSet => ("quota.set", "Quota set"),
            Action::QuotaExceeded => ("quota.exceed", "Quota exceeded"),
            Action::DocumentTrashed => ("document.trash", "Put into the trash"),
            Action::DocumentRestored => ("document.restore", "Restored"),
            Action::DocumentPurged => ("document.purge", "Purged"),
            Action::UserCreated => ("user.create", "User made"),
            Action::UserInvited => ("user.invite", "User invited"),
            Action::UserDisabled => ("user.disable", "User disabled"),
            Action::UserEnabled => ("user.enable", "User enabled"),
            Action::RoleChanged => ("user.role", "Role changed"),
            Action::PasswordLinkMade => ("user.reset", "Password link made"),
            Action::PasswordChosen => ("password.choose", "Password chosen"),
            Action::PasswordChanged => ("password.change", "Password changed"),
            Action::SessionsEnded => ("sessions.end", "Sessions ended"),
            Action::TokenMade => ("token.create", "API token made"),
            Action::TokenRevoked => ("token.revoke", "API token revoked"),
            Action::JobRetried => ("job.retry", "Job tried again"),
            Action::JobCancelled => ("job.cancel", "Job cancelled"),
            Action::SignedIn => ("session.begin", "Signed in"),
            Action::SignInFailed => ("session.refuse", "Sign-in failed"),
            Action::SignedOut => ("session.end", "Signed out"),
            Action::SetUp => ("installation.set-up", "Set-up"),
            Action::DocumentAdded => ("document.add", "Document added"),
            Action::DocumentOverwritten => ("document.overwrite", "Content replaced"),
            Action::DocumentJudged => ("document.judge", "Looked at for viruses"),
            Action::DocumentOpened => ("document.open", "Opened by an administrator"),
            Action::FileGone => ("file.gone", "File gone at Filestack"),
            Action::FileRemoved => ("file.remove", "File removed at Filestack"),
            Action::EventReplayed => ("event.replay", "Event replayed"),
            Action::SampleSent => ("event.sample", "Sample sent"),
        }
    }
}

/// Something that was done, to be recorded.
#[derive(Clone, Debug)]
pub struct Entry {
    action: Action,
    subject: String,
    subject_name: String,
    document: Option<DocumentId>,
    before: Value,
    after: Value,
    reason: String,
}

impl Entry {
    /// Something done to what has this id, or this name if it has no id.
    pub fn new(action: Action, subject: impl Into<String>) -> Self {
        Entry {
            action,
            subject: subject.into(),
            subject_name: String::new(),
            document: None,
            before: Value::Null,
            after: Value::Null,
            reason: String::new(),
        }
    }

    /// Something done to a document.
    pub fn of_document(action: Action, document: &Document) -> Self {
        Entry {
            subject_name: document.name.clone(),
            document: Some(document.id),
            ..Self::new(action, document.id)
        }
    }

    /// Something done to a user's account.
    pub fn of_user(action: Action, user: &User) -> Self {
        Self::new(action, user.id).named(&user.email)
    }

    /// What the subject is called.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.subject_name = name.to_owned();
        self
    }

    /// What changed: an object with the values as they were, and one with the values as they are now. Never a secret.
    #[must_use]
    pub fn changing(mut self, before: Value, after: Value) -> Self {
        (self.before, self.after) = (before, after);
        self
    }

    /// The reason that was given.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        self.reason = reason.to_owned();
        self
    }
}

/// Records what was done, in the transaction that does it.
pub fn record(c: &mut DbConn, actor: &Actor, entry: Entry, now: UtcTime) -> Result<(), DbError> {
    let text = |value: Value| {
        if value.is_null() {
            String::new()
        } else {
            value.to_string()
        }
    };
    audit_entries::insert(
        c,
        &AuditEntry {
            id: AuditEntryId::new(now),
            at: now,
            actor_id: actor.user,
            actor: actor.name.clone(),
            means: actor.means.to_owned(),
            ip: actor.ip.clone(),
            action: entry.action.as_str().to_owned(),
            subject: entry.subject,
            subject_name: entry.subject_name,
            document_id: entry.document,
            before: text(entry.before),
            after: text(entry.after),
            reason: entry.reason,
        },
    )
}

/// Records that a document has come to be, and which way.
pub fn record_added(c: &mut DbConn, actor: &Actor, document: &NewDocument, via: &str) -> Result<(), DbError> {
    let entry = Entry {
        document: Some(document.id),
        ..Entry::new(Action::DocumentAdded, document.id)
    };
    let facts = json!({"size_bytes": document.size_bytes, "type": document.content_type, "way": via});
    record(
        c,
        actor,
        entry.named(&document.name).changing(Value::Null, facts),
        document.created_at,
    )
}

/// A part of the trail.
pub async fn list(
    services: &Services,
    filter: EntryFilter,
    part: Part<Place>,
    limit: i64,
) -> Result<Slice<AuditEntry>, AppError> {
    let read = services.db.run(move |c| {
        let rows = audit_entries::list(c, &filter, &part, limit + 1)?;
        Ok(Slice::cut(rows, &part, limit))
    });
    Ok(read.await?)
}

/// A document's own slice, the newest first. Whose it is, the caller has made sure.
pub async fn list_of_document(
    services: &Services,
    document: DocumentId,
) -> Result<Vec<AuditEntry>, AppError> {
    let read = services.db.run(move |c| {
        let mut entries = audit_entries::list_of_document(c, document, None, OF_DOCUMENT)?;
        if entries.len() as i64 == OF_DOCUMENT {
            let opened = Some(Action::DocumentOpened.as_str());
            let openings = audit_entries::list_of_document(c, document, opened, OF_DOCUMENT)?;
            let known: HashSet<_> = entries.iter().map(|entry| entry.id).collect();
            entries.extend(openings.into_iter().filter(|entry| !known.contains(&entry.id)));
        }
        Ok(entries)
    });
    Ok(read.await?)
}
