//! Webhooks as a receiver sees them.

mod console;
mod delivery;
mod events;
mod faults;
mod kept;
pub(super) mod listener;
mod restart;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use self::listener::{Listener, Received};
use super::*;
use crate::emulator::{Endpoint, Event, Webhook, WebhookFilter, WebhookState};

/// Longer than anything takes on a busy machine; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(60);
const MINUTE: Duration = Duration::from_secs(60);

impl Bench {
    /// One without security whose webhooks go to a listener.
    fn telling(listener: &Listener) -> Self {
        Self::telling_all(&[listener.endpoint()])
    }

    fn telling_all(endpoints: &[Endpoint]) -> Self {
        Self::telling_from(Arc::new(TempDir::new().unwrap()), endpoints)
    }

    fn telling_from(dir: Arc<TempDir>, endpoints: &[Endpoint]) -> Self {
        let endpoints = endpoints.to_vec();
        Self::start("AKeyz:SECRET:open", dir, |config| {
            config.webhooks = endpoints;
            config.webhook_timeout = Duration::from_secs(5);
        })
    }

    /// Ends it and starts it again on its directory.
    async fn telling_again(self, endpoints: &[Endpoint]) -> Self {
        let dir = self.dir.clone();
        self.stop().await;
        Self::telling_from(dir, endpoints)
    }

    async fn settled(&self) {
        assert!(
            self.controls.webhooks().settle(PATIENCE).await,
            "webhooks never settled"
        );
    }

    fn webhooks(&self) -> Vec<Webhook> {
        self.controls.webhooks().list(&WebhookFilter::default()).unwrap()
    }

    /// Lets something happen that nobody has to upload for.
    fn happen(&self, name: &str) {
        let event = Event::new("fp.test", None, json!({ "name": name }));
        self.controls.webhooks().emit("AKeyz", &event).unwrap();
    }

    /// Stores a small file by the protocol.
    async fn stored(&self, content: &str) -> String {
        let url = format!("{}/api/store/S3?key=AKeyz&filename=note.txt", self.base);
        let reply = self.http.post(url).body(content.to_owned()).send().await.unwrap();
        assert_eq!(reply.status(), 200);
        let reply: Value = reply.json().await.unwrap();
        reply["url"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned()
    }
}

async fn until(is_so: impl Fn() -> bool) {
    let began = std::time::Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE);
        actix_web::rt::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A picture of 4 by 4.
fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(4, 4, image::Rgb([200, 100, 50]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// The `text.name` of each body that came.
fn names(received: &[Received]) -> Vec<String> {
    let name = |got: &Received| got.json()["text"]["name"].as_str().unwrap_or_default().to_owned();
    received.iter().map(name).collect()
}
