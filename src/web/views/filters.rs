//! How templates dress values: icons, asset URLs, sizes, counts and times.

use askama::Values;
use askama::filters::Safe;
use time::{Duration, OffsetDateTime, UtcOffset};

use crate::web::assets;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The URL of a static file.
#[askama::filter_fn]
pub(super) fn asset(name: impl AsRef<str>, _: &dyn Values) -> askama::Result<Safe<&'static str>> {
    Ok(Safe(assets::url(name.as_ref())))
}

/// An icon of the sprite, for the eye only: the words are beside it or in the label of its button.
#[askama::filter_fn]
pub(super) fn icon(name: impl AsRef<str>, _: &dyn Values) -> askama::Result<Safe<&'static str>> {
    Ok(Safe(assets::icon(name.as_ref())))
}

// What follows is digits, letters, commas and colons, in which nothing is to be escaped.

/// A size in binary units: `1.4 MiB`.
#[askama::filter_fn]
pub(super) fn binary_size(bytes: &i64, _: &dyn Values) -> askama::Result<Safe<String>> {
    Ok(Safe(in_binary_units(*bytes)))
}

/// A size to the byte: `1,468,006 bytes`.
#[askama::filter_fn]
pub(super) fn exact_size(bytes: &i64, _: &dyn Values) -> askama::Result<Safe<String>> {
    Ok(Safe(counted(*bytes, "byte")))
}

/// A number of documents: `1,234 documents`.
#[askama::filter_fn]
pub(super) fn documents(count: &i64, _: &dyn Values) -> askama::Result<Safe<String>> {
    Ok(Safe(counted(*count, "document")))
}

/// A number: `1,234`.
#[askama::filter_fn]
pub(super) fn grouped(number: &i64, _: &dyn Values) -> askama::Result<Safe<String>> {
    Ok(Safe(thousands(*number)))
}

/// A time as people say it: `3 hours ago`.
#[askama::filter_fn]
pub(super) fn ago(
    then: &OffsetDateTime,
    _: &dyn Values,
    now: &OffsetDateTime,
) -> askama::Result<Safe<String>> {
    Ok(Safe(relative(*then, *now)))
}

/// A time to the minute: `12 Mar 2026, 14:05 UTC`.
#[askama::filter_fn]
pub(super) fn exact_time(then: &OffsetDateTime, _: &dyn Values) -> askama::Result<Safe<String>> {
    Ok(Safe(minute(*then)))
}

/// A day: `12 Mar 2026`, in UTC.
#[askama::filter_fn]
pub(super) fn day(then: &OffsetDateTime, _: &dyn Values) -> askama::Result<Safe<String>> {
    let mut text = String::with_capacity(11);
    push_day(&mut text, then.to_offset(UtcOffset::UTC));
    Ok(Safe(text))
}

/// A time for machines: the value of `datetime`.
#[askama::filter_fn]
pub(super) fn rfc3339(then: &OffsetDateTime, _: &dyn Values) -> askama::Result<Safe<String>> {
    Ok(Safe(for_machines(*then)))
}

/// A time as people say it, for sentences.
pub fn dress_ago(then: OffsetDateTime, now: OffsetDateTime) -> String {
    relative(then, now)
}

/// A day, for sentences.
pub fn dress_day(then: OffsetDateTime) -> String {
    day(then)
}

/// A time to the minute, for sentences.
pub fn dress_time(then: OffsetDateTime) -> String {
    minute(then)
}

/// A number, for sentences.
pub fn dress_number(number: i64) -> String {
    thousands(number)
}

/// A size, for sentences.
pub fn dress_size(bytes: i64) -> String {
    in_binary_units(bytes)
}

fn in_binary_units(bytes: i64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return counted(bytes, "byte");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    // 1023.95 KiB would be written as 1024.0 KiB.
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let written = if value >= 99.95 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    };
    format!("{} {}", written.trim_end_matches(".0"), UNITS[unit])
}

fn counted(count: i64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    let mut text = thousands(count);
    text.push(' ');
    text.push_str(noun);
    text.push_str(plural);
    text
}

fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::with_capacity(40);
    if number < 0 {
        grouped.push('-');
    }
    let (first, rest) = digits.split_at((digits.len() - 1) % 3 + 1);
    grouped.push_str(first);
    for at in (0..rest.len()).step_by(3) {
        grouped.push(',');
        grouped.push_str(&rest[at..at + 3]);
    }
    grouped
}

fn relative(then: OffsetDateTime, now: OffsetDateTime) -> String {
    let age = now - then;
    match age {
        // A little in the future is another machine's clock.
        _ if age < Duration::minutes(1) && age > -Duration::minutes(5) => "just now".into(),
        _ if age.is_negative() => day(then),
        _ if age < Duration::hours(1) => spoken(age.whole_minutes(), "minute"),
        _ if age < Duration::days(1) => spoken(age.whole_hours(), "hour"),
        _ if age < Duration::days(7) => spoken(age.whole_days(), "day"),
        _ => day(then),
    }
}

fn spoken(count: i64, noun: &str) -> String {
    let mut text = counted(count, noun);
    text.push_str(" ago");
    text
}

// Written by hand: a page of the list has a hundred and fifty times, and the general formatter takes ten times as long for one.

fn day(then: OffsetDateTime) -> String {
    let mut text = String::with_capacity(24);
    push_day(&mut text, then.to_offset(UtcOffset::UTC));
    text
}

fn minute(then: OffsetDateTime) -> String {
    let then = then.to_offset(UtcOffset::UTC);
    let mut text = String::with_capacity(24);
    push_day(&mut text, then);
    text.push_str(", ");
    push_two(&mut text, then.hour());
    text.push(':');
    push_two(&mut text, then.minute());
    text.push_str(" UTC");
    text
}

fn for_machines(then: OffsetDateTime) -> String {
    let then = then.to_offset(UtcOffset::UTC);
    let mut text = String::with_capacity(24);
    push_year(&mut text, then.year());
    for (before, number) in [
        ('-', u8::from(then.month())),
        ('-', then.day()),
        ('T', then.hour()),
        (':', then.minute()),
        (':', then.second()),
    ] {
        text.push(before);
        push_two(&mut text, number);
    }
    text.push('Z');
    text
}

fn push_day(text: &mut String, date: OffsetDateTime) {
    if date.day() >= 10 {
        text.push(digit(date.day() / 10));
    }
    text.push(digit(date.day() % 10));
    text.push(' ');
    text.push_str(MONTHS[usize::from(u8::from(date.month()) - 1)]);
    text.push(' ');
    push_year(text, date.year());
}

/// Four digits: no clock is before the year 0 or after 9999.
fn push_year(text: &mut String, year: i32) {
    let year = year.clamp(0, 9_999);
    push_two(text, (year / 100) as u8);
    push_two(text, (year % 100) as u8);
}

fn push_two(text: &mut String, number: u8) {
    text.push(digit(number / 10 % 10));
    text.push(digit(number % 10));
}

fn digit(value: u8) -> char {
    char::from(b'0' + value)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn sizes_are_in_binary_units_and_never_1024_of_one() {
        let cases = [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1,023 bytes"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (102_400, "100 KiB"),
            (1_048_575, "1 MiB"),
            (5 * 1024 * 1024 * 1024, "5 GiB"),
            (i64::MAX, "8 EiB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(in_binary_units(bytes), text);
        }
    }

    #[test]
    fn counts_are_grouped_and_agree_with_their_noun() {
        assert_eq!(counted(1, "document"), "1 document");
        assert_eq!(counted(0, "document"), "0 documents");
        assert_eq!(counted(1234, "document"), "1,234 documents");
        assert_eq!(counted(1_234_567, "document"), "1,234,567 documents");
        assert_eq!(thousands(-1000), "-1,000");
        assert_eq!(thousands(100), "100");
        assert_eq!(thousands(-123_456), "-123,456");
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        let now = datetime!(2026-03-12 14:05 UTC);
        let cases = [
            (now, "just now"),
            (now + Duration::minutes(2), "just now"),
            (now + Duration::days(2), "14 Mar 2026"),
            (now - Duration::seconds(61), "1 minute ago"),
            (now - Duration::minutes(59), "59 minutes ago"),
            (now - Duration::hours(3), "3 hours ago"),
            (now - Duration::hours(24), "1 day ago"),
            (now - Duration::days(6), "6 days ago"),
            (now - Duration::days(7), "5 Mar 2026"),
        ];
        for (then, text) in cases {
            assert_eq!(relative(then, now), text);
        }
        assert_eq!(
            minute(datetime!(2026-03-12 00:05 +02:00)),
            "11 Mar 2026, 22:05 UTC"
        );
        assert_eq!(
            for_machines(datetime!(2026-03-02 00:05:09.9 +02:00)),
            "2026-03-01T22:05:09Z"
        );
    }
}
