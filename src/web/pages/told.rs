//! What may be said after a redirect with a number or an id in it, and the way back that goes with it.
//!
//! Like the other notices it travels in a cookie that anybody could write, so it carries nothing but words of ours, numbers and ids.

use actix_web::cookie::Cookie;
use actix_web::cookie::time::Duration;

use super::shell::notice_cookie;
use crate::clock::UtcTime;
use crate::ids::DocumentId;
use crate::web::views::{Notice, NoticeKind, Undo};

/// How many documents, and how many more were not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) done: u64,
    pub(super) missing: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// A document is in the trash.
    Trashed(DocumentId),
    /// Documents are in the trash since this moment.
    TrashedMany(UtcTime, Count),
    /// Documents are back in the list.
    Restored(Count),
    /// Documents have other tags.
    Tagged(Count),
    /// A document and its file are gone.
    Purged,
    /// A document is gone; its file is still at Filestack.
    PurgedHere,
    /// So many were purged, and so many are left.
    Emptied(u64, u64),
}

impl Told {
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let name = parts.next()?;
        if name == "trashed" {
            return Some(Told::Trashed(parts.next()?.parse().ok()?));
        }
        let mut number = || parts.next()?.parse::<u64>().ok();
        Some(match name {
            "trashed-many" => Told::TrashedMany(
                UtcTime::from_micros(number()?.try_into().ok()?),
                Count {
                    done: number()?,
                    missing: number()?,
                },
            ),
            "restored" => Told::Restored(Count {
                done: number()?,
                missing: number()?,
            }),
            "tagged" => Told::Tagged(Count {
                done: number()?,
                missing: number()?,
            }),
            "purged" => Told::Purged,
            "purged-here" => Told::PurgedHere,
            "emptied" => Told::Emptied(number()?, number()?),
            _ => return None,
        })
    }

    fn text(self) -> String {
        match self {
            Told::Trashed(id) => format!("trashed.{id}"),
            Told::TrashedMany(at, Count { done, missing }) => {
                format!("trashed-many.{}.{done}.{missing}", at.micros())
            }
            Told::Restored(Count { done, missing }) => format!("restored.{done}.{missing}"),
            Told::Tagged(Count { done, missing }) => format!("tagged.{done}.{missing}"),
            Told::Purged => "purged".to_owned(),
            Told::PurgedHere => "purged-here".to_owned(),
            Told::Emptied(purged, left) => format!("emptied.{purged}.{left}"),
        }
    }

    /// The cookie that says it on the next page.
    pub(super) fn cookie(self) -> Cookie<'static> {
        notice_cookie(self.text(), Duration::minutes(1))
    }

    pub(super) fn notice(self) -> Notice {
        let undo = match self {
            Told::Trashed(id) => Some(Undo {
                action: format!("/documents/{id}/restoration"),
                at: None,
            }),
            Told::TrashedMany(at, Count { done: 1.., .. }) => Some(Undo {
                action: "/trash/restorations".to_owned(),
                at: Some(at.micros()),
            }),
            _ => None,
        };
        let (kind, text) = match self {
            Told::Trashed(_) => (NoticeKind::Success, "The document is in the trash.".to_owned()),
            Told::TrashedMany(_, count) => count.said("is in the trash", "are in the trash"),
            Told::Restored(count) => count.said("is back in your list", "are back in your list"),
            Told::Tagged(count) => count.said("has its new tags", "have their new tags"),
            Told::Purged => (
                NoticeKind::Success,
                "The document is deleted for good, here and at Filestack.".to_owned(),
            ),
            Told::PurgedHere => (
                NoticeKind::Warning,
                "The document is deleted here. Filestack could not remove its file yet; Satchel keeps trying until it has."
                    .to_owned(),
            ),
            Told::Emptied(purged, 0) => (
                NoticeKind::Success,
                format!("{} deleted for good. The trash is empty.", documents(purged, "is", "are")),
            ),
            Told::Emptied(purged, left) => (
                NoticeKind::Warning,
                format!(
                    "{} deleted for good. {left} more are in the trash; empty it again to go on.",
                    documents(purged, "is", "are")
                ),
            ),
        };
        Notice { kind, text, undo }
    }
}

impl Count {
    /// “3 documents are in the trash. One was not found.”
    fn said(self, one: &str, many: &str) -> (NoticeKind, String) {
        let mut text = format!("{}.", documents(self.done, one, many));
        match self.missing {
            0 => return (NoticeKind::Success, text),
            1 => text.push_str(" One was not found."),
            missing => text.push_str(&format!(" {missing} were not found.")),
        }
        (NoticeKind::Warning, text)
    }
}

fn documents(count: u64, one: &str, many: &str) -> String {
    match count {
        0 => format!("No document {one}"),
        1 => format!("One document {one}"),
        count => format!("{count} documents {many}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_read_again_and_nothing_else_is() {
        let count = Count { done: 3, missing: 1 };
        let id = DocumentId::new(UtcTime::from_micros(1_700_000_000_000_000));
        for told in [
            Told::Trashed(id),
            Told::TrashedMany(UtcTime::from_micros(17), count),
            Told::Restored(count),
            Told::Tagged(count),
            Told::Purged,
            Told::PurgedHere,
            Told::Emptied(2, 0),
        ] {
            assert_eq!(Told::read(&told.text()), Some(told));
        }
        for other in [
            "",
            "trashed",
            "trashed.<b>",
            "restored.1",
            "restored.-1.0",
            "emptied.x.0",
            "trashed-many.99999999999999999999.1.1",
        ] {
            assert_eq!(Told::read(other), None, "{other}");
        }
        assert_eq!(
            Told::TrashedMany(UtcTime::from_micros(17), count).notice().text,
            "3 documents are in the trash. One was not found."
        );
    }
}
