//! Quotas: held on every way in, by everybody at once, and given back whatever happens.

mod direct;
mod held;
mod sums;
mod ways;

use std::time::Duration;

use diesel::prelude::*;
use satchel::db::models::audit_entries::AuditEntry;
use satchel::db::models::setup;
use satchel::db::models::users::{self, User};
use satchel::db::schema::audit_entries;
use satchel::services::quotas::Quota;
use satchel::services::removals;

use crate::support::app::TestApp;

/// So many bytes.
pub fn bytes(most: i64) -> Quota {
    Quota {
        bytes: Some(most),
        documents: None,
    }
}

/// So many documents.
pub fn documents(most: i64) -> Quota {
    Quota {
        bytes: None,
        documents: Some(most),
    }
}

impl TestApp {
    /// Sets what the member of this name may keep; makes them if there is none.
    pub async fn quota(&self, name: &str, quota: Quota) {
        self.account(name).await;
        let id = self.owner(name).await.id;
        let set = self
            .services
            .db
            .write(move |c| users::set_quota(c, id, quota.bytes, quota.documents));
        set.await.expect("a quota");
    }

    /// Sets what everybody together may keep.
    pub async fn total_quota(&self, quota: Quota) {
        let set = self
            .services
            .db
            .write(move |c| setup::set_quota(c, quota.bytes, quota.documents));
        set.await.expect("a quota");
    }

    /// Lets the files go at Filestack that are entered for removal.
    pub async fn settle_removals(&self) {
        self.advance(Duration::from_secs(61));
        removals::enqueue_due(&self.services).await.expect("removals");
        self.run_jobs().await;
    }

    /// What is written about the account of the member of this name since it was made, the newest first.
    pub async fn trail_of_user(&self, name: &str) -> Vec<AuditEntry> {
        let id = self.owner(name).await.id.to_string();
        let entries = self.services.db.run(move |c| {
            Ok(audit_entries::table
                .filter(audit_entries::subject.eq(id))
                .filter(audit_entries::action.ne("user.create"))
                .order((audit_entries::at.desc(), audit_entries::id.desc()))
                .select(AuditEntry::as_select())
                .load(c)?)
        });
        entries.await.expect("entries")
    }

    /// The words for it, by the alphabet: time stands still in tests.
    pub async fn actions_on_user(&self, name: &str) -> Vec<String> {
        let trail = self.trail_of_user(name).await;
        let mut actions: Vec<_> = trail.into_iter().map(|entry| entry.action).collect();
        actions.sort();
        actions
    }

    /// What the member keeps: documents and bytes. Nothing may be held any more.
    pub async fn kept(&self, name: &str) -> (i64, i64) {
        let User {
            document_count,
            stored_bytes,
            reserved_bytes,
            reserved_documents,
            ..
        } = self.owner(name).await;
        assert_eq!(
            (reserved_documents, reserved_bytes),
            (0, 0),
            "room is held for nothing"
        );
        (document_count, stored_bytes)
    }
}
