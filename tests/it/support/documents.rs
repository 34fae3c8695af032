//! Documents that are there from the start, without files: for tests of lists.

use std::time::Duration;

use satchel::db::models::documents::{self, Document, NewDocument, STORED};
use satchel::db::models::search::{self, name_key};
use satchel::db::models::uploads::Upload;
use satchel::db::models::users::{self, User};
use satchel::db::schema::{documents as document_rows, uploads as upload_rows, users as user_rows};
use satchel::ids::DocumentId;

use diesel::prelude::*;

use super::app::{TestApp, email};

/// A document to be.
pub struct Builder {
    name: String,
    size: i64,
}

/// A document of this name.
pub fn a_document(name: &str) -> Builder {
    Builder {
        name: name.to_owned(),
        size: 1,
    }
}

impl Builder {
    /// With so many bytes.
    pub fn of_size(mut self, bytes: i64) -> Self {
        self.size = bytes;
        self
    }

    /// Adds it for the member of this name, a second after the one before.
    pub async fn create(self, app: &TestApp, owner: &str) -> DocumentId {
        app.advance(Duration::from_secs(1));
        let owner = app.owner(owner).await;
        let now = app.services.clock.now();
        let id = DocumentId::new(now);
        let document = NewDocument {
            id,
            owner_id: owner.id,
            handle: format!("made{}", &id.as_str().replace('-', "")[16..]),
            name_key: name_key(&self.name),
            name: self.name,
            content_type: "text/plain".to_owned(),
            declared_type: "text/plain".to_owned(),
            size_bytes: self.size,
            sha256: "0".repeat(64),
            status: STORED,
            created_at: now,
            updated_at: now,
        };
        let added = app.services.db.write(move |c| {
            documents::insert(c, &document)?;
            search::insert(c, owner.seq, &document)?;
            users::add_usage(c, owner.id, 1, document.size_bytes)
        });
        added.await.expect("a new document");
        id
    }
}

impl TestApp {
    /// The account of the member of this name.
    pub async fn owner(&self, name: &str) -> User {
        let email = email(name);
        let found = self
            .services
            .db
            .run(move |c| users::find_by_email(c, &email))
            .await;
        found
            .expect("the database answers")
            .expect("the account is there")
    }

    /// Every upload that was ever begun, the oldest first.
    pub async fn intents(&self) -> Vec<Upload> {
        let rows = self.services.db.run(|c| {
            Ok(upload_rows::table
                .order((upload_rows::started_at, upload_rows::id))
                .select(Upload::as_select())
                .load(c)?)
        });
        rows.await.expect("the database answers")
    }

    /// Every document there is, whosever.
    pub async fn documents(&self) -> Vec<Document> {
        let rows = self.services.db.run(|c| {
            Ok(document_rows::table
                .order(document_rows::id)
                .select(Document::as_select())
                .load(c)?)
        });
        rows.await.expect("the database answers")
    }

    /// No user's room may be held for an upload any more, once what lets go of it has run.
    pub async fn assert_no_room_is_held(&self) {
        super::eventually("no room is held", async || {
            let held = self.services.db.run(|c| {
                let held = user_rows::reserved_bytes
                    .gt(0)
                    .or(user_rows::reserved_documents.gt(0));
                Ok(user_rows::table.filter(held).count().get_result::<i64>(c)?)
            });
            held.await.expect("the database answers") == 0
        })
        .await;
    }

    /// Nothing may be left of uploads that failed: no document, no file, no memory, no intent that is still open, no room held (R1).
    pub async fn assert_nothing_left(&self) {
        assert_eq!(self.documents().await.len(), 0, "documents are left");
        assert_eq!(self.stored_files(), 0, "files are left at the emulator");
        for intent in self.intents().await {
            assert_eq!(intent.state.as_str(), "failed", "{intent:?}");
        }
        self.assert_no_room_is_held().await;
        super::eventually("the memory is free again", async || {
            self.services.budget.free() == self.services.budget.all()
        })
        .await;
    }
}
