//! Places in a list as URL-safe text: what `next_cursor` and the page links carry.
//!
//! A place names the order it belongs to, and the filter if there is one, so that a cursor of one list is refused in another. It is not secret and not signed:
//! whoever changes one moves about in their own list.

use std::fmt::Display;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::db::keyset::{KeyPlace, PlaceKey};
use crate::db::models::documents::{Place, Sort, SortKey};
use crate::error::AppError;

/// Longer ones were not made here: a name's 255 bytes, an id and some punctuation.
const MAX_BYTES: usize = 1_024;

/// The place as text, in a list of documents with this filter's mark.
pub fn encode(sort: Sort, mark: Option<&str>, place: &Place) -> String {
    encode_place(sort_name(sort), mark, place)
}

/// The place in this order, in a list of documents with this filter's mark, that the text names.
///
/// # Errors
///
/// [`AppError::Invalid`] when it is none, or one of another order or filter.
pub fn decode(sort: Sort, mark: Option<&str>, text: &str) -> Result<Place, AppError> {
    decode_place(sort_name(sort), sort.key == SortKey::Name, mark, text).ok_or_else(|| {
        AppError::invalid(
            "invalid-cursor",
            "The cursor is not one that this list gave out. Begin again without a cursor.",
        )
    })
}

/// The place as text, in a list of any kind in this order.
pub fn encode_place<I: Display>(order: &str, mark: Option<&str>, place: &KeyPlace<I>) -> String {
    let key = match &place.key {
        PlaceKey::Number(number) => json!(number),
        PlaceKey::Text(text) => json!(text),
    };
    let id = place.id.to_string();
    let text = match mark {
        None => json!([order, key, id]),
        Some(mark) => json!([order, key, id, mark]),
    };
    BASE64_URL_SAFE_NO_PAD.encode(text.to_string())
}

/// The place in this order, by names or by numbers, that the text names; `None` when it is none, or one of another list.
pub fn decode_place<I: FromStr>(
    order: &str,
    by_name: bool,
    mark: Option<&str>,
    text: &str,
) -> Option<KeyPlace<I>> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let (name, key, id, of): (String, Value, String, Option<String>) = match mark {
        None => serde_json::from_slice(&bytes).map(|(name, key, id)| (name, key, id, None)),
        Some(_) => serde_json::from_slice(&bytes),
    }
    .ok()?;
    if name != order || of.as_deref() != mark {
        return None;
    }
    let key = match key {
        Value::String(text) if by_name && !text.contains('\0') => PlaceKey::Text(text),
        Value::Number(number) if !by_name => PlaceKey::Number(number.as_i64()?),
        _ => return None,
    };
    Some(KeyPlace {
        key,
        id: id.parse().ok()?,
    })
}

/// The order as it stands in a URL.
pub fn sort_name(sort: Sort) -> &'static str {
    match (sort.key, sort.descending) {
        (SortKey::Created, true) => "-created",
        (SortKey::Created, false) => "created",
        (SortKey::Name, true) => "-name",
        (SortKey::Name, false) => "name",
        (SortKey::Size, true) => "-size",
        (SortKey::Size, false) => "size",
        (SortKey::Trashed, true) => "-trashed",
        (SortKey::Trashed, false) => "trashed",
    }
}

/// The order that a URL names; the newest first when it names none.
///
/// # Errors
///
/// [`AppError::Invalid`] for any other name.
pub fn parse_sort(text: &str) -> Result<Sort, AppError> {
    let (descending, name) = match text.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, text),
    };
    let key = match name {
        "" if !descending => return Ok(Sort::NEWEST),
        "created" | "date" => SortKey::Created,
        "name" => SortKey::Name,
        "size" => SortKey::Size,
        _ => {
            return Err(AppError::invalid(
                "invalid-sort",
                "A list is sorted by date, name or size; a minus before it turns it round. Choose one of them.",
            ));
        }
    };
    Ok(Sort { key, descending })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UtcTime;
    use crate::ids::DocumentId;

    #[test]
    fn a_place_comes_back_as_it_was_and_only_in_its_order() {
        let id = DocumentId::new(UtcTime::from_micros(1));
        for (name, key) in [
            ("-created", PlaceKey::Number(5)),
            ("name", PlaceKey::Text("ä".to_owned())),
        ] {
            let sort = parse_sort(name).expect("an order");
            let place = Place { key, id };
            let text = encode(sort, None, &place);
            let marked = encode(sort, Some("5a"), &place);
            assert!(
                text.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)),
                "{text}"
            );
            assert_eq!(decode(sort, None, &text).expect("a place"), place);
            assert!(decode(parse_sort("size").expect("an order"), None, &text).is_err());
            assert_eq!(decode(sort, Some("5a"), &marked).expect("a place"), place);
            for (mark, of_another) in [(None, &marked), (Some("5a"), &text), (Some("5b"), &marked)] {
                assert!(decode(sort, mark, of_another).is_err(), "{mark:?} {of_another}");
            }
        }
    }

    #[test]
    fn x5_nonsense_is_refused() {
        let sort = parse_sort("").expect("an order");
        for bad in [
            "",
            "x",
            "!!!",
            "W10",
            &"A".repeat(5_000),
            "WyItY3JlYXRlZCIsIngiLCJ5Il0",
        ] {
            assert!(decode(sort, None, bad).is_err(), "{bad}");
            assert!(decode(sort, Some("5a"), bad).is_err(), "{bad}");
        }
        for bad in ["-", "owner_id", "name;DROP", "--name"] {
            assert!(parse_sort(bad).is_err(), "{bad}");
        }
    }
}
