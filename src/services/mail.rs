//! E-mail: what is sent to whom, and how.
//!
//! Each message is a job, and its id is the message's: should a worker die after the mail server took a message and before that was
//! written down, the second one is the same message to whoever receives both.

use std::time::Duration;

use lettre::message::header::{ContentType, MIME_VERSION_1_0};
use lettre::message::{Mailbox, Message};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::clock::UtcTime;
use crate::config::MailConfig;
use crate::db::models::jobs::{Job, listing};
use crate::db::models::{documents, users};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::ids::{DocumentId, JobId};
use crate::queue::{self, Kind, NewJob, Priority};
use crate::services::Services;
use crate::services::processing::Outcome;

/// A mail server that says nothing for so long is given up.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks whether the other steps have ended.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// A document's steps that a message lists.
const STEPS: i64 = 50;

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Notice {
    /// All steps of a document have ended.
    Processed,
    /// A virus was found.
    Infected,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    notice: Notice,
}

/// Sends messages.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// One for these settings; nothing is connected yet.
    ///
    /// # Errors
    ///
    /// A sentence when they cannot be used.
    pub fn new(config: &MailConfig) -> Result<Self, String> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(config.url.expose())
            .map_err(|_| "SATCHEL_SMTP_URL names no mail server that can be used.".to_owned())?
            .timeout(Some(PATIENCE))
            .build();
        let from = config
            .from
            .parse()
            .map_err(|_| "SATCHEL_MAIL_FROM is not an e-mail address.".to_owned())?;
        Ok(Mailer { transport, from })
    }

    async fn send(&self, to: &str, id: JobId, subject: &str, text: String) -> Result<(), AppError> {
        let to: Mailbox = to
            .parse()
            .map_err(|_| AppError::invalid("no-address", "The account's address takes no mail."))?;
        let host = self.from.email.domain();
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(subject)
            .message_id(Some(format!("<{id}@{host}>")))
            .header(MIME_VERSION_1_0)
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|error| AppError::Internal(format!("a message: {error}")))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(AppError::invalid(
                "mail-refused",
                format!("The mail server refused the message: {error}."),
            )),
            Err(error) => {
                log::warn!(event = "mail-failed"; "a message was not sent: {error}");
                Err(AppError::Unavailable {
                    code: "mail-unavailable",
                    detail: "The mail server cannot be reached, or did not take the message now.".to_owned(),
                    retry_after: Duration::from_secs(30),
                })
            }
        }
    }
}

/// Sends a message at once, for what must not be kept in a job's row; whether it was taken, or `None` when no mail is sent.
pub async fn send_now(services: &Services, to: &str, subject: &str, text: String) -> Option<bool> {
    let mailer = services.background.mail.as_ref()?;
    let id = JobId::new(services.clock.now());
    let sent = mailer.send(to, id, subject, text).await;
    if let Err(error) = &sent {
        log::warn!(event = "mail-failed"; "a link was not mailed: {error}");
    }
    Some(sent.is_ok())
}

/// The job that tells a document's owner something, once.
pub fn job(notice: Notice, document: DocumentId) -> NewJob {
    let word = match notice {
        Notice::Processed => "processed",
        Notice::Infected => "infected",
    };
    NewJob {
        payload: json!(Payload { notice }),
        document: Some(document),
        unique_key: Some(format!("{}:{word}:{document}", Kind::SendMail)),
        priority: Priority::Low,
        ..NewJob::new(Kind::SendMail)
    }
}

/// Puts a message to a document's owner into the queue, when mail is sent at all.
pub fn enqueue(
    c: &mut DbConn,
    is_on: bool,
    notice: Notice,
    document: DocumentId,
    now: UtcTime,
) -> Result<(), DbError> {
    if is_on {
        queue::enqueue(c, job(notice, document), now)?;
    }
    Ok(())
}

/// Sends the message of a job.
///
/// # Errors
///
/// [`AppError::Unavailable`] when the mail server may take it later, [`AppError::Invalid`] when it refuses it.
pub async fn run(services: &Services, job: &Job) -> Result<Outcome, AppError> {
    let Some(mailer) = &services.background.mail else {
        return Ok(Outcome::done("Mail is off: SATCHEL_SMTP_URL is not set."));
    };
    let payload: Payload = serde_json::from_str(&job.payload)
        .map_err(|error| AppError::Internal(format!("job {} cannot be read: {error}", job.id)))?;
    let Some(id) = job.document_id else {
        return Err(AppError::Internal(format!("job {} names no document", job.id)));
    };
    let found = services
        .db
        .run(move |c| {
            let Some(document) = documents::find(c, id)? else {
                return Ok(None);
            };
            let owner = users::find(c, document.owner_id)?;
            let steps = listing::list_of_document(c, id, STEPS)?;
            Ok(owner.map(|owner| (document, owner, steps)))
        })
        .await?;
    let Some((document, owner, mut steps)) = found else {
        return Ok(Outcome::moot());
    };
    steps.retain(|step| step.kind != Kind::SendMail.as_str());
    let name = &document.name;
    let link = services.background.link(&format!("/documents/{id}"));
    let (subject, text) = match payload.notice {
        Notice::Processed => {
            if steps.iter().any(|step| !step.state.is_final()) {
                return Ok(Outcome::later(
                    LOOK_AGAIN,
                    "It is sent when the other steps have ended.",
                ));
            }
            let lines: Vec<String> = steps
                .iter()
                .map(|step| {
                    format!(
                        "- {}: {}. {}",
                        step.kind,
                        step.state,
                        step.reason.as_deref().unwrap_or_default()
                    )
                })
                .collect();
            (
                format!("Processed: {name}"),
                format!(
                    "Your document {name} was processed.\n\n{}\n\n{link}\n",
                    lines.join("\n")
                ),
            )
        }
        Notice::Infected => (
            format!("A virus was found: {name}"),
            format!(
                "A virus was found in your document {name}. It cannot be opened or shared. Delete it, and look at the \
                 computer that it came from.\n\n{link}\n"
            ),
        ),
    };
    mailer.send(&owner.email, job.id, &subject, text).await?;
    Ok(Outcome::done(format!("Sent to {}.", owner.email)))
}
