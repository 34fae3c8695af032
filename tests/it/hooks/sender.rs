//! A sender of webhooks, signed as Filestack's documentation says (`filestack-protocol` §7.1), with no code of the application's.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use satchel::db::models::events::deliveries::{self, Delivery, Rejection};
use satchel::db::models::events::{Event, EventState};
use satchel::db::schema::events as event_rows;
use satchel::services::events::{self, ledger};

use diesel::prelude::*;

use crate::support::answer::Answer;
use crate::support::app::{Setup, TestApp};

/// The secret of the tests' webhooks.
pub const SECRET: &str = "webhook-secret-of-the-tests";
/// The address.
pub const PATH: &str = "/webhooks/filestack";

/// An application that takes webhooks signed with [`SECRET`].
pub fn app() -> Setup {
    TestApp::new().var("FILESTACK_WEBHOOK_SECRET", SECRET)
}

/// The signature of a body.
pub fn sign(secret: &str, timestamp: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    let bytes = mac.finalize().into_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An event with this number.
pub fn event(id: i64, action: &str, text: Value) -> Value {
    json!({"id": id, "action": action, "timestamp": 1_700_000_000, "text": text})
}

/// What `fp.upload` says.
pub fn uploaded(handle: &str, key: &str) -> Value {
    json!({"container": "c", "url": format!("https://cdn.filestackcontent.com/{handle}"), "filename": "evil name.exe",
        "client": "Computer", "key": key, "type": "text/html", "status": "Stored", "size": 666})
}

/// An address of a file.
pub fn url_of(handle: &str) -> Value {
    json!({"url": format!("https://cdn.filestackcontent.com/{handle}")})
}

impl TestApp {
    /// Seconds of the application's clock.
    pub fn seconds(&self) -> i64 {
        self.services.clock.now().seconds()
    }

    /// Delivers bytes with these headers.
    pub async fn deliver_raw(&self, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let client = self.anon();
        let mut request = client.request(Method::POST, PATH).body(body.to_vec());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        client.send(request).await
    }

    /// Delivers bytes signed now.
    pub async fn deliver_bytes(&self, body: &[u8]) -> Answer {
        self.deliver_signed(SECRET, self.seconds(), body).await
    }

    /// Delivers bytes signed with a secret at a time.
    pub async fn deliver_signed(&self, secret: &str, at: i64, body: &[u8]) -> Answer {
        let timestamp = at.to_string();
        let signature = sign(secret, &timestamp, body);
        self.deliver_raw(
            &[
                ("FS-Timestamp", &timestamp),
                ("FS-Signature", &signature),
                ("Content-Type", "application/json"),
            ],
            body,
        )
        .await
    }

    /// Delivers an event that must be taken, a second after the one before.
    pub async fn deliver(&self, event: &Value) {
        self.advance(Duration::from_secs(1));
        let answer = self.deliver_bytes(event.to_string().as_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json(), json!({"received": true}));
    }

    /// Delivers an event and applies all that is to be applied.
    pub async fn happen(&self, event: &Value) {
        self.deliver(event).await;
        self.apply_events().await;
    }

    /// Applies all events that are to be applied, as the job does.
    pub async fn apply_events(&self) {
        for _ in 0..10 {
            let events = self.events().await;
            let open: Vec<_> = events
                .iter()
                .filter(|event| event.state == EventState::Received)
                .map(|event| event.id)
                .collect();
            if open.is_empty() {
                return;
            }
            // An event that is being applied by a worker at this moment is not a failure.
            let _ = events::apply_all(&self.services, &open).await;
        }
        panic!("events stay to be applied: {:?}", self.events().await);
    }

    /// Every event, the oldest first, once what was delivered is entered.
    pub async fn events(&self) -> Vec<Event> {
        while ledger::enter_waiting(&self.services)
            .await
            .expect("batches are entered")
            > 0
        {}
        let rows = self.services.db.run(|c| {
            Ok(event_rows::table
                .order((event_rows::received_at, event_rows::id))
                .select(Event::as_select())
                .load(c)?)
        });
        rows.await.expect("the database answers")
    }

    /// The only event there is.
    pub async fn only_event(&self) -> Event {
        let mut events = self.events().await;
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }

    /// The deliveries of an event.
    pub async fn deliveries(&self, event: &Event) -> Vec<Delivery> {
        let event = event.clone();
        let rows = self.services.db.run(move |c| deliveries::list(c, &event)).await;
        rows.expect("the database answers")
    }

    /// The refused deliveries that were kept.
    pub async fn rejections(&self) -> Vec<Rejection> {
        let rows = self.services.db.run(deliveries::list_rejections).await;
        rows.expect("the database answers")
    }

    /// Ends the time in which a second refused delivery is not kept.
    pub fn let_samples_pass(&self) {
        self.advance(Duration::from_secs(6));
    }
}
