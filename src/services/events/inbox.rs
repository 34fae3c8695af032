//! The inbox: what administrators see of webhooks, and events that they send back to be applied anew.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::apply::NOT_APPLICABLE;
use super::{Preview, apply, ledger, preview, reopen};
use crate::clock::UtcTime;
use crate::db::keyset::{Part, Slice, TimePlace};
use crate::db::models::documents::{self, Document};
use crate::db::models::events::deliveries::{self, Delivery, Rejection};
use crate::db::models::events::listing::{self, EventFilter, EventLine};
use crate::db::models::events::{self, Event, EventState};
use crate::error::AppError;
use crate::ids::EventId;
use crate::services::audit::{Action, Actor, Entry};
use crate::services::statistics::MANY;
use crate::services::{Services, audit};

/// Events that are replayed at once.
pub const MOST_REPLAYED: i64 = 1_000;
/// Events of which a page shows what would change.
pub const MOST_PREVIEWED: i64 = 100;

/// Lists events, the newest first.
pub async fn list(
    services: &Services,
    filter: EventFilter,
    part: Part<TimePlace<EventId>>,
    limit: i64,
) -> Result<Slice<EventLine>, AppError> {
    ledger::enter_waiting(services).await?;
    let read = services.db.run(move |c| {
        let rows = listing::list(c, &filter, &part, limit + 1)?;
        Ok(Slice::cut(rows, &part, limit))
    });
    Ok(read.await?)
}

/// An event with all that is known of it.
#[derive(Debug)]
pub struct Shown {
    /// The event.
    pub event: Event,
    /// Its deliveries, the first one first.
    pub deliveries: Vec<Delivery>,
    /// The document it is about.
    pub document: Option<Document>,
}

/// Gives an event with all that is known of it, else [`AppError::NotFound`].
pub async fn show(services: &Services, id: EventId) -> Result<Shown, AppError> {
    let found = services
        .db
        .run(move |c| {
            let Some(event) = events::find(c, id)? else {
                return Ok(None);
            };
            let deliveries = deliveries::list(c, &event)?;
            let document = match event.document_id {
                Some(id) => documents::find(c, id)?,
                None => None,
            };
            Ok(Some(Shown {
                event,
                deliveries,
                document,
            }))
        })
        .await?;
    found.ok_or(AppError::NotFound)
}

/// The refused deliveries that are kept, the newest first.
pub async fn rejections(services: &Services) -> Result<Vec<Rejection>, AppError> {
    Ok(services.db.run(deliveries::list_rejections).await?)
}

/// How many events need somebody's eyes, counted up to a bound.
pub async fn count_troubled(services: &Services) -> Result<i64, AppError> {
    Ok(services.db.run(|c| listing::count_troubled(c, MANY)).await?)
}

/// Which events to replay.
#[derive(Clone, Debug)]
pub enum Which {
    /// This one.
    One(EventId),
    /// All that are found so.
    All(EventFilter),
}

/// The ids of those events, the oldest first: in the order in which they came.
async fn find(services: &Services, which: Which, most: i64) -> Result<Vec<EventId>, AppError> {
    match which {
        Which::One(id) => services
            .db
            .run(move |c| events::find(c, id))
            .await?
            .map(|event| vec![event.id])
            .ok_or(AppError::NotFound),
        Which::All(filter) => {
            let page = list(services, filter, Part::First, most).await?;
            if page.has_next {
                return Err(AppError::invalid(
                    "too-many-events",
                    format!(
                        "These are more than {most} events. Choose a shorter time or other filters, and replay them in parts."
                    ),
                ));
            }
            let mut ids: Vec<_> = page.rows.iter().map(|event| event.id).collect();
            ids.reverse();
            Ok(ids)
        }
    }
}

/// Says what replaying these events would change, each by itself, and changes nothing. At most so many: each may be a question to
/// Filestack.
pub async fn dry_run(services: &Services, which: Which, most: i64) -> Result<Vec<Preview>, AppError> {
    let mut previews = Vec::new();
    for id in find(services, which, most).await? {
        previews.push(preview(services, id).await?);
    }
    Ok(previews)
}

/// Sends these events back to be applied anew by the workers; gives those that could be.
///
/// # Errors
///
/// [`AppError::Conflict`] when there are some and none can be.
pub async fn replay(services: &Services, actor: &Actor, which: Which) -> Result<Vec<EventId>, AppError> {
    let ids = find(services, which, MOST_REPLAYED).await?;
    let is_none = ids.is_empty();
    let (now, actor) = (services.clock.now(), actor.clone());
    let sent = services
        .db
        .write(move |c| {
            let mut sent = Vec::new();
            for id in ids {
                if reopen(c, &[id], now)? == 1 {
                    audit::record(c, &actor, Entry::new(Action::EventReplayed, id), now)?;
                    sent.push(id);
                }
            }
            Ok(sent)
        })
        .await?;
    if sent.is_empty() && !is_none {
        return Err(AppError::Conflict {
            code: "events-not-applicable",
            detail: NOT_APPLICABLE.to_owned(),
        });
    }
    services.bell.ring();
    Ok(sent)
}

/// The same, applied at once by whoever asks; gives each event and what came of it.
pub async fn replay_now(
    services: &Services,
    actor: &Actor,
    which: Which,
) -> Result<Vec<(EventId, EventState, String)>, AppError> {
    let mut outcomes = Vec::new();
    for id in replay(services, actor, which).await? {
        // What may pass is kept with the event, and its job tries again.
        let failure = apply(services, id).await.err();
        let event = services.db.run(move |c| events::find(c, id)).await?;
        if let Some(event) = event {
            let reason = failure.map_or(event.reason.unwrap_or_default(), |error| error.public_detail());
            outcomes.push((id, event.state, reason));
        }
    }
    Ok(outcomes)
}

/// Reads a time as people write it: RFC 3339, a day, or how long ago (`30m`, `2h`, `7d`).
pub fn parse_time(text: &str, now: UtcTime) -> Result<UtcTime, String> {
    let text = text.trim();
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(UtcTime::of_calendar(time));
    }
    for filled in [format!("{text}:00Z"), format!("{text}T00:00:00Z")] {
        if let Ok(time) = OffsetDateTime::parse(&filled, &Rfc3339) {
            return Ok(UtcTime::of_calendar(time));
        }
    }
    let ago = text.char_indices().last().and_then(|(end, unit)| {
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        let count: u32 = text[..end].parse().ok()?;
        Some(Duration::from_secs(u64::from(count) * seconds))
    });
    ago.map(|ago| now.minus(ago)).ok_or_else(|| {
        "it is not a time; write 2026-11-24T10:00:00Z, 2026-11-24T10:00, 2026-11-24, or how long ago as 30m, 2h or 7d"
            .to_owned()
    })
}

/// Foreign bytes as text that does nothing to whoever looks at it, on a page or a terminal: what would be a command or turns the
/// direction of writing round is shown as a replacement character (W22).
pub fn legible(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            c if c.is_control() || is_bidi(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Characters that turn the direction of writing round.
pub fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w22_nothing_reaches_a_terminal_that_it_would_obey() {
        assert_eq!(legible(b"a\x1b[31m\x07\xff\n"), "a\u{fffd}[31m\u{fffd}\u{fffd}\n");
        assert_eq!(legible("x\u{202e}y".as_bytes()), "x\u{fffd}y");
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let now = parse_time("2026-11-24T10:00:00Z", UtcTime::from_micros(0)).expect("a time");
        let is = |text: &str, rfc3339: &str| {
            assert_eq!(parse_time(text, now).expect(text).rfc3339(), rfc3339, "{text}");
        };
        is("2026-11-24T11:00:00+01:00", "2026-11-24T10:00:00Z");
        is("2026-11-24T10:30", "2026-11-24T10:30:00Z");
        is("2026-11-24", "2026-11-24T00:00:00Z");
        is("30m", "2026-11-24T09:30:00Z");
        is("7d", "2026-11-17T10:00:00Z");
        for bad in ["", "x", "d", "-1h", "1w", "ä", "2026-13-01", "99999999999d"] {
            assert!(parse_time(bad, now).is_err(), "{bad}");
        }
    }
}
