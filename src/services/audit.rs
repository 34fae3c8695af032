//! The audit trail: who did what, to what, and from where; written in the transaction that does it, and never changed afterwards.
//!
//! A verb that changes something takes the [`Actor`] it does it for and calls [`record`] beside the change: either both last or neither.

use serde_json::Value;

use crate::clock::UtcTime;
use crate::db::models::audit_entries::{self, AuditEntry};
use crate::db::models::documents::Document;
use crate::db::models::users::User;
use crate::db::{DbConn, DbError};
use crate::ids::{AuditEntryId, DocumentId, UserId};
use crate::services::identity::{Identity, Means};

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
    /// A document has another name.
    DocumentRenamed,
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
    /// A job is tried again, or now.
    JobRetried,
    /// A job is called off.
    JobCancelled,
}

impl Action {
    /// All of them, in the order of a filter.
    pub const ALL: &[Action] = &[
        Action::DocumentRenamed,
        Action::UploadRefused,
        Action::QuotaSet,
        Action::QuotaExceeded,
        Action::DocumentTrashed,
        Action::DocumentRestored,
        Action::DocumentPurged,
        Action::JobRetried,
        Action::JobCancelled,
    ];

    /// The word in the trail: what it is about, a dot, what is done.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::DocumentRenamed => "document.rename",
            Action::UploadRefused => "upload.refuse",
            Action::QuotaSet => "quota.set",
            Action::QuotaExceeded => "quota.exceed",
            Action::DocumentTrashed => "document.trash",
            Action::DocumentRestored => "document.restore",
            Action::DocumentPurged => "document.purge",
            Action::JobRetried => "job.retry",
            Action::JobCancelled => "job.cancel",
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
