//! Kinds of values that are only judged, because nothing here uses them yet.

use super::super::scan::Value;
use super::{Kind, plain};

/// §6.3, §6.4: most faces that can be named, most areas in a list, longest side of one.
const MAX_FACES: i64 = 1_000;
const MAX_AREAS: usize = 50;
const MAX_SIDE: i64 = 10_000;

/// Whether a value that may be a list is of its kind.
pub(super) fn fits(kind: &Kind, value: &Value) -> bool {
    match (kind, value) {
        (Kind::Signed(ranges), Value::List(values)) => {
            let pairs = values.iter().zip(*ranges);
            let in_range = |(value, (least, most)): (&Value, &(i32, i32))| {
                is_whole(value, i64::from(*least), i64::from(*most))
            };
            values.len() == ranges.len() && pairs.into_iter().all(in_range)
        }
        (Kind::Faces, Value::List(values)) => {
            !values.is_empty() && values.iter().all(|value| is_whole(value, 1, MAX_FACES))
        }
        (Kind::Faces, value) => plain(value) == Some("all") || is_whole(value, 1, MAX_FACES),
        (Kind::Areas, Value::List(areas)) => {
            (1..=MAX_AREAS).contains(&areas.len()) && areas.iter().all(is_area)
        }
        (Kind::Pages, Value::List(pages)) => !pages.is_empty() && pages.iter().all(is_page),
        (Kind::Pages, page) => is_page(page),
        _ => false,
    }
}

/// Digits, and perhaps a point with digits after it.
pub(super) fn is_number(text: &str, least: f64, most: f64) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let in_range = |number: f64| (least..=most).contains(&number);
    digits(whole) && digits(fraction) && text.parse().is_ok_and(in_range)
}

/// `hh[:mm[:ss]]` within a day.
pub(super) fn is_time(text: &str) -> bool {
    let mut parts = text.split(':');
    let is_part = |text: &str, most: u8| {
        (1..=2).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && text.parse::<u8>().is_ok_and(|number| number <= most)
    };
    parts.next().is_some_and(|hours| is_part(hours, 23))
        && parts.clone().count() <= 2
        && parts.all(|part| is_part(part, 59))
}

fn is_area(area: &Value) -> bool {
    match area {
        Value::List(sides) => sides.len() == 4 && sides.iter().all(|side| is_whole(side, 0, MAX_SIDE)),
        Value::Text { .. } => false,
    }
}

fn is_whole(value: &Value, least: i64, most: i64) -> bool {
    let Some(text) = plain(value) else { return false };
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain
        && text
            .parse()
            .is_ok_and(|number: i64| (least..=most).contains(&number))
}

/// A page, `5-7`, the last ones as `-2`, or `9-` for all from there.
fn is_page(value: &Value) -> bool {
    let Some(text) = plain(value) else { return false };
    let is_number = |text: &str| text.parse::<u32>().is_ok_and(|page| page > 0);
    match text.split_once('-') {
        None => is_number(text),
        Some((first, last)) => {
            (first.is_empty() || is_number(first))
                && (last.is_empty() || is_number(last))
                && first.len() + last.len() > 0
        }
    }
}
