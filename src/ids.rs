//! Ids: random, sortable by the time they were made, one type a table, made here and never by a database.

use std::fmt;
use std::str::FromStr;

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use serde::Serialize;
use uuid::{Builder, Uuid};

use crate::clock::UtcTime;

/// A text that is not an id.
#[derive(Debug, thiserror::Error)]
#[error("not an id")]
pub struct NotAnId;

/// A UUID in lower case with hyphens: kept spelt, since it is compared, bound and printed far more often than made.
type Spelling = [u8; 36];

fn spell(uuid: Uuid) -> Spelling {
    let mut spelling = [0_u8; 36];
    uuid.as_hyphenated().encode_lower(&mut spelling);
    spelling
}

/// UUID version 7 of this moment: 48 bits of milliseconds, the rest random.
fn new_uuid(now: UtcTime) -> Uuid {
    let mut random = [0_u8; 10];
    crate::crypto::fill_random(&mut random);
    Builder::from_unix_timestamp_millis(now.millis(), &random).into_uuid()
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow, Serialize)]
        #[diesel(sql_type = Text)]
        #[serde(into = "String")]
        pub struct $name(Spelling);

        impl $name {
            /// A new id of this moment.
            pub fn new(now: UtcTime) -> Self {
                $name(spell(new_uuid(now)))
            }

            /// An id of this moment with random bits of the caller's choice: for data that must be the same every time.
            pub fn with_random(now: UtcTime, random: &[u8; 10]) -> Self {
                $name(spell(Builder::from_unix_timestamp_millis(now.millis(), random).into_uuid()))
            }

            /// The millisecond it was made in.
            pub fn made_at(&self) -> UtcTime {
                let digits = self.as_str().bytes().filter(|byte| *byte != b'-').take(12);
                let millis = digits.fold(0_i64, |sum, digit| {
                    16 * sum + i64::from(char::from(digit).to_digit(16).unwrap_or(0))
                });
                UtcTime::from_micros(millis.saturating_mul(1_000))
            }

            /// The id as it is written everywhere.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).expect("an id is spelt in ASCII")
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.as_str().to_owned()
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            /// Reads the one spelling that is ever written: lower-case and hyphenated.
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let id = $name(spell(Uuid::try_parse(text).map_err(|_| NotAnId)?));
                if id.as_str() == text { Ok(id) } else { Err(NotAnId) }
            }
        }
    };
}

id! {
    /// A user.
    UserId
}
id! {
    /// A document, and from its first moment the upload that becomes it.
    DocumentId
}
id! {
    /// An API token, as it is listed; the token itself is never kept.
    ApiTokenId
}
id! {
    /// An event: what one webhook said, however often it was delivered. Filestack's own number is another thing.
    EventId
}
id! {
    /// Deliveries of webhooks that came together.
    BatchId
}
id! {
    /// Something that Filestack made of a document.
    ResultId
}
id! {
    /// A job.
    JobId
}
id! {
    /// An entry of the audit trail.
    AuditEntryId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_later_moments_sort_later() {
        let early = DocumentId::new(UtcTime::from_micros(1_700_000_000_000_000));
        let late = DocumentId::new(UtcTime::from_micros(1_700_000_000_001_000));
        assert!(early.to_string() < late.to_string());
    }

    #[test]
    fn only_the_spelling_that_is_written_is_read() {
        let id = UserId::new(UtcTime::from_micros(0));
        let text = id.to_string();
        assert_eq!(text.parse::<UserId>().expect("an id"), id);
        for bad in [
            text.to_uppercase(),
            text.replace('-', ""),
            format!("{{{text}}}"),
            String::new(),
            "../x".into(),
        ] {
            assert!(bad.parse::<UserId>().is_err(), "{bad}");
        }
    }
}
