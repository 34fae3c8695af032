//! Samples: events as Filestack sends them, made by an administrator to see that they arrive and are understood.
//!
//! They are about a file that does not exist and are marked as samples, so that they neither change a document nor hide a real event.

use serde_json::{Value, json};

use super::ledger::{Delivered, enter, event_of};
use super::message::VIDEO;
use crate::crypto;
use crate::error::AppError;
use crate::ids::EventId;
use crate::services::audit::{Action, Actor, Entry};
use crate::services::{Services, audit};

/// The kinds there are samples of.
pub const KINDS: [&str; 7] = [
    "fp.upload",
    "fp.overwrite",
    "fp.delete",
    "fp.converse",
    "fs.workflow",
    VIDEO,
    "fp.unknown",
];

/// Records a sample of this kind and gives its event.
///
/// # Errors
///
/// [`AppError::Invalid`] when there is no such kind.
pub async fn trigger(services: &Services, actor: &Actor, kind: &str) -> Result<EventId, AppError> {
    if !KINDS.contains(&kind) {
        return Err(AppError::invalid(
            "invalid-sample",
            format!("There are samples of {}. Choose one of them.", KINDS.join(", ")),
        ));
    }
    let now = services.clock.now();
    let mut random = [0_u8; 10];
    crypto::fill_random(&mut random);
    let body = body(kind, &crypto::hex(&random), now.seconds());
    let id = EventId::new(now);
    let delivered = Delivered {
        id: id.as_str().into(),
        received_at: now.micros(),
        signed_at: now.micros(),
        late: false,
        took_micros: 0,
        headers: json!([["x-satchel-sample", kind]]).to_string().into(),
        body: body.to_string().into(),
    };
    let event = event_of(delivered, true).ok_or_else(|| AppError::Internal("a sample".to_owned()))?;
    let (actor, kind) = (actor.clone(), kind.to_owned());
    services
        .db
        .write(move |c| {
            enter(c, &[event], now)?;
            let entry = Entry::new(Action::SampleSent, id).named(&kind);
            audit::record(c, &actor, entry, now)
        })
        .await?;
    services.bell.ring();
    Ok(id)
}

fn body(kind: &str, file: &str, timestamp: i64) -> Value {
    let cdn = "https://cdn.filestackcontent.com";
    let url = format!("{cdn}/{file}");
    let text = match kind {
        "fp.upload" => json!({
            "container": "sample-bucket", "url": url, "filename": "sample.pdf", "client": "Computer",
            "key": format!("{file}_sample.pdf"), "type": "application/pdf", "status": "Stored", "size": 2_048,
        }),
        "fp.overwrite" => json!({
            "mimetype": "application/pdf", "url": url, "isWriteable": true, "filename": "sample.pdf",
            "client": "Computer", "size": 4_096,
        }),
        "fp.converse" => json!({
            "url": format!("/resize=width:100/{file}"),
            "link": {
                "url": format!("https://www.filestackapi.com/api/file/made{}", &file[..16]),
                "handle": format!("made{}", &file[..16]), "filename": "sample.png", "mimetype": "image/png",
                "path": "sample.png", "provider": "internal_v2", "size": 512,
            },
        }),
        "fs.workflow" => json!({
            "workflow": "00000000-0000-4000-8000-000000000000", "jobid": "00000000-0000-4000-8000-000000000001",
            "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:01Z", "sources": [file],
            "results": {"virus_detection_1700000000000": {"data": {"infected": false, "infections_list": []}}},
            "status": "Finished",
        }),
        VIDEO => {
            return json!({
                "status": "completed", "message": "Done", "uuid": file, "timestamp": timestamp.to_string(),
                "data": {"url": url}, "metadata": {"result": {}, "source": {}},
            });
        }
        _ => json!({"url": url}),
    };
    json!({"id": timestamp, "action": kind, "timestamp": timestamp, "text": text})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::events::message::Message;

    #[test]
    fn every_sample_is_read_as_what_it_is() {
        for kind in KINDS {
            let message = Message::read(body(kind, "0123456789abcdef0123", 1)).expect(kind);
            assert_eq!(message.action, kind);
            assert_eq!(message.is_known(), kind != "fp.unknown", "{kind}");
            assert_eq!(message.handle.is_some(), kind != VIDEO, "{kind}");
        }
    }
}
