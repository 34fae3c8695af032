//! Verdicts: what was found out about a document's content, whoever found it out: a workflow's webhook or a job that asked.
//!
//! A document goes one way only: from quarantine to ready or infected, from ready to infected, from anywhere to gone. So verdicts may
//! come in any order and any number of times.

use serde_json::{Value, json};

use crate::clock::UtcTime;
use crate::db::models::documents::{self, Document, GONE, INFECTED, QUARANTINED, STORED};
use crate::db::models::findings::{self, Finding};
use crate::db::{DbConn, DbError};
use crate::ids::DocumentId;
use crate::services::audit::{self, Action, Actor, Entry};

/// Kind of the finding that says which viruses there are.
pub const VIRUSES: &str = "viruses";
/// Kind of the finding that names what is to be seen.
pub const TAGS: &str = findings::TAGS;
/// Kind of the finding that says whether a picture is safe for work.
pub const SFW: &str = "sfw";
/// Names of viruses, or tags, that are kept.
const MOST_NAMES: usize = 100;
/// Longer names are cut.
const LONGEST_NAME: usize = 200;

/// What was found out; what was not looked at is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The viruses found; none, and the file is clean.
    pub infections: Option<Vec<String>>,
    /// Whether a picture is safe for work.
    pub is_safe: Option<bool>,
    /// What is to be seen, and how sure that is, per cent.
    pub tags: Option<Vec<(String, i64)>>,
}

impl Verdict {
    /// Whether viruses were looked for and found.
    pub fn is_infected(&self) -> bool {
        self.infections.as_ref().is_some_and(|found| !found.is_empty())
    }

    /// Whether nothing was looked at.
    pub fn is_empty(&self) -> bool {
        *self == Verdict::default()
    }

    /// Reads a workflow's results: an object of tasks, whose names can be changed in Filestack's portal, so that only what is in them
    /// tells what they are.
    pub fn of_workflow(results: &Value) -> Self {
        let mut verdict = Verdict::default();
        for task in results.as_object().into_iter().flatten().map(|(_, task)| task) {
            verdict.add(task.get("data").unwrap_or(task));
        }
        verdict
    }

    /// Reads one reply of Filestack's: of `virus_detection`, `sfw` or `tags`.
    pub fn of_task(data: &Value) -> Self {
        let mut verdict = Verdict::default();
        verdict.add(data);
        verdict
    }

    fn add(&mut self, data: &Value) {
        if let Some(infected) = data.get("infected").and_then(Value::as_bool) {
            let found = self.infections.get_or_insert_default();
            let names = data.get("infections_list").and_then(Value::as_array);
            let names = names.into_iter().flatten().filter_map(Value::as_str);
            found.extend(names.take(MOST_NAMES).map(cut));
            // Where list and verdict contradict each other, the worse of the two holds.
            if infected && found.is_empty() {
                found.push("unnamed".to_owned());
            }
        }
        if let Some(safe) = data.get("sfw").and_then(Value::as_bool) {
            self.is_safe = Some(self.is_safe.unwrap_or(true) && safe);
        }
        if let Some(auto) = data.pointer("/tags/auto").and_then(Value::as_object) {
            let tags = auto
                .iter()
                .filter_map(|(tag, sure)| Some((cut(tag), percent(sure)?)));
            self.tags.get_or_insert_default().extend(tags.take(MOST_NAMES));
        }
    }
}

fn percent(value: &Value) -> Option<i64> {
    value.as_f64().map(|sure| sure.clamp(0.0, 100.0).round() as i64)
}

fn cut(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_NAME)
        .collect()
}

/// Keeps a verdict of that time and moves the document on accordingly, in the caller's transaction; `true` when that made it infected, of
/// which its owner is to be told, whoever else finds the same later.
pub fn settle(
    c: &mut DbConn,
    document: DocumentId,
    verdict: &Verdict,
    found_at: UtcTime,
    now: UtcTime,
) -> Result<bool, DbError> {
    let Some(known) = documents::find(c, document)? else {
        return Ok(false);
    };
    let mut is_news = false;
    if let Some(found) = &verdict.infections {
        if verdict.is_infected() {
            keep(c, document, VIRUSES, json!(found), found_at)?;
            is_news = documents::move_on(c, document, &[STORED, QUARANTINED], INFECTED, now)?;
            if is_news {
                record(c, &known, INFECTED, now)?;
            }
        } else {
            // A clean verdict never takes an infected one back, nor the names of one that comes at the same moment.
            findings::put_if_none(c, &finding(document, VIRUSES, json!([]), found_at))?;
            if documents::move_on(c, document, &[QUARANTINED], STORED, now)? {
                record(c, &known, STORED, now)?;
            }
        }
    }
    if let Some(safe) = verdict.is_safe {
        keep(c, document, SFW, json!(safe), found_at)?;
    }
    if let Some(tags) = &verdict.tags {
        let tags: serde_json::Map<_, _> = tags
            .iter()
            .map(|(tag, sure)| (tag.clone(), json!(sure)))
            .collect();
        keep(c, document, TAGS, Value::Object(tags), found_at)?;
    }
    Ok(is_news)
}

/// Notes that a document's file is no longer at Filestack; `false` when that was known. The row stays until its owner deletes it, and
/// counts until then.
pub fn mark_gone(c: &mut DbConn, actor: &Actor, document: DocumentId, now: UtcTime) -> Result<bool, DbError> {
    let Some(known) = documents::find(c, document)? else {
        return Ok(false);
    };
    let is_new = documents::move_on(c, document, &[STORED, QUARANTINED, INFECTED], GONE, now)?;
    if is_new {
        let entry = Entry::of_document(Action::FileGone, &known)
            .changing(json!({"status": known.status}), json!({"status": GONE}));
        audit::record(c, actor, entry, now)?;
    }
    Ok(is_new)
}

fn record(c: &mut DbConn, known: &Document, status: &str, now: UtcTime) -> Result<(), DbError> {
    let entry = Entry::of_document(Action::DocumentJudged, known)
        .changing(json!({"status": known.status}), json!({"status": status}));
    audit::record(c, &Actor::filestack(), entry, now)
}

fn keep(
    c: &mut DbConn,
    document: DocumentId,
    kind: &str,
    value: Value,
    found_at: UtcTime,
) -> Result<(), DbError> {
    findings::put_latest(c, &finding(document, kind, value, found_at))
}

fn finding(document_id: DocumentId, kind: &str, value: Value, found_at: UtcTime) -> Finding {
    Finding {
        document_id,
        kind: kind.to_owned(),
        value: value.to_string(),
        found_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_is_read_by_what_is_in_it() {
        let results = json!({
            "virus_detection_1": {"data": {"infected": true, "infections_list": ["Eicar-Test-Signature"]}},
            "my own name": {"data": {"sfw": false}},
            "tags_2": {"data": {"tags": {"auto": {"dog": 97, "grass": 81.4}, "user": null}}},
            "resize": {"url": "https://cdn/x", "mimetype": "image/png", "size": 1},
        });
        let verdict = Verdict::of_workflow(&results);
        assert!(verdict.is_infected());
        assert_eq!(verdict.infections, Some(vec!["Eicar-Test-Signature".to_owned()]));
        assert_eq!(verdict.is_safe, Some(false));
        assert_eq!(
            verdict.tags,
            Some(vec![("dog".to_owned(), 97), ("grass".to_owned(), 81)])
        );
    }

    #[test]
    fn infected_without_a_name_is_infected_and_nothing_is_no_verdict() {
        let of = |value| Verdict::of_workflow(&value);
        assert!(of(json!({"a": {"data": {"infected": true}}})).is_infected());
        assert!(of(json!({"a": {"data": {"infected": false, "infections_list": ["x"]}}})).is_infected());
        let clean = of(json!({"a": {"data": {"infected": false, "infections_list": []}}}));
        assert!(!clean.is_infected() && !clean.is_empty());
        for odd in [
            json!(null),
            json!([]),
            json!({"a": 1}),
            json!({"a": {"data": {"infected": "no"}}}),
        ] {
            assert!(of(odd).is_empty());
        }
    }
}
