//! Tagging many documents with one act: all of it or nothing.

use crate::db::models::documents;
use crate::error::AppError;
use crate::ids::{DocumentId, UserId};
use crate::services::audit::Actor;
use crate::services::documents::retag;
use crate::services::labels::Tags;
use crate::services::trash::{Acted, check_ids};
use crate::services::{Services, names};

/// Adds tags to the owner's documents and takes others away. One that has all of them already, or none, counts as done.
///
/// # Errors
///
/// [`AppError::Fields`] when a tag breaks a rule, when there is none, or when a document would have too many; then nothing is changed.
pub async fn tag(
    services: &Services,
    actor: &Actor,
    owner: UserId,
    ids: Vec<DocumentId>,
    add: &[String],
    remove: &[String],
) -> Result<Acted, AppError> {
    let ids = check_ids(ids)?;
    let mut wrong = Vec::new();
    let mut read = |field, texts: &[String]| {
        let tags = Tags::read(texts.iter().map(String::as_str));
        tags.map_err(|why| wrong.push((field, why))).unwrap_or_default()
    };
    let (add, remove) = (read("add", add), read("remove", remove));
    if wrong.is_empty() && add.is_empty() && remove.is_empty() {
        wrong.push(("add", "Enter at least one tag.".to_owned()));
    }
    if !wrong.is_empty() {
        return Err(AppError::Fields(wrong));
    }
    let (now, actor) = (services.clock.now(), actor.clone());
    let tagged = services.db.write(move |c| {
        let (mut plan, mut missing) = (Vec::new(), Vec::new());
        // Held in the order of their ids, so that two at once wait for each other and never in a ring; nothing is written before all
        // are known to be well.
        for id in ids {
            let Some(document) = documents::find_owned_for_update(c, owner, id)? else {
                missing.push(id);
                continue;
            };
            match Tags::of_row(document.tags()).changed(&add, &remove) {
                Ok(tags) => plan.push((document, tags)),
                Err(why) => {
                    let sentence = format!("“{}”: {why}", names::beginning(&document.name));
                    return Ok(Err(AppError::Fields(vec![("add", sentence)])));
                }
            }
        }
        let mut acted = Acted {
            documents: Vec::new(),
            missing,
            at: now,
        };
        for (before, tags) in plan {
            match retag(c, &actor, &before, tags, now)? {
                Some(document) => acted.documents.push(document),
                None => acted.missing.push(before.id),
            }
        }
        Ok(Ok(acted))
    });
    tagged.await?
}
