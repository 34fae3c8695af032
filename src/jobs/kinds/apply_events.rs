//! `apply-events`: does what webhooks said; an event that was applied is passed over, so that a second time does no harm.

use serde::Deserialize;

use crate::db::models::jobs::Job;
use crate::error::AppError;
use crate::ids::EventId;
use crate::services::Services;
use crate::services::events;
use crate::services::processing::Outcome;

#[derive(Deserialize)]
struct Payload {
    events: Vec<String>,
}

/// Does the job.
pub(super) async fn run(services: &Services, job: &Job) -> Result<Outcome, AppError> {
    let unreadable = || AppError::Internal(format!("job {} has a payload that cannot be read", job.id));
    let payload: Payload = serde_json::from_str(&job.payload).map_err(|_| unreadable())?;
    let ids: Result<Vec<EventId>, _> = payload.events.iter().map(|id| id.parse()).collect();
    let ids = ids.map_err(|_| unreadable())?;
    events::apply_all(services, &ids).await?;
    Ok(Outcome::done(match ids.len() {
        1 => "The webhook's event was dealt with.".to_owned(),
        count => format!("The events of {count} webhooks were dealt with."),
    }))
}
