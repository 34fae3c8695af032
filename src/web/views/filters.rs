//! How templates dress values: icons, asset URLs, sizes, counts and times.

use askama::Values;
use askama::filters::Safe;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, UtcOffset};

use crate::web::assets;

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[day padding:none] [month repr:short] [year]");
const MINUTE: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");

/// The URL of a static file.
#[askama::filter_fn]
pub(super) fn asset(name: impl AsRef<str>, _: &dyn Values) -> askama::Result<&'static str> {
    Ok(assets::url(name.as_ref()))
}

/// An icon of the sprite, for the eye only: the words are beside it or in the label of its button.
#[askama::filter_fn]
pub(super) fn icon(name: impl AsRef<str>, _: &dyn Values) -> askama::Result<Safe<String>> {
    let (sprite, name) = (assets::url("icons.svg"), name.as_ref());
    Ok(Safe(format!(
        r##"<svg class="icon" aria-hidden="true"><use href="{sprite}#{name}"/></svg>"##
    )))
}

/// A size in binary units: `1.4 MiB`.
#[askama::filter_fn]
pub(super) fn binary_size(bytes: &i64, _: &dyn Values) -> askama::Result<String> {
    Ok(in_binary_units(*bytes))
}

/// A size to the byte: `1,468,006 bytes`.
#[askama::filter_fn]
pub(super) fn exact_size(bytes: &i64, _: &dyn Values) -> askama::Result<String> {
    Ok(counted(*bytes, "byte"))
}

/// A number of documents: `1,234 documents`.
#[askama::filter_fn]
pub(super) fn documents(count: &i64, _: &dyn Values) -> askama::Result<String> {
    Ok(counted(*count, "document"))
}

/// A time as people say it: `3 hours ago`.
#[askama::filter_fn]
pub(super) fn ago(then: &OffsetDateTime, _: &dyn Values, now: &OffsetDateTime) -> askama::Result<String> {
    relative(*then, *now)
}

/// A time to the minute: `12 Mar 2026, 14:05 UTC`.
#[askama::filter_fn]
pub(super) fn exact_time(then: &OffsetDateTime, _: &dyn Values) -> askama::Result<String> {
    format(*then, MINUTE)
}

/// A time for machines: the value of `datetime`.
#[askama::filter_fn]
pub(super) fn rfc3339(then: &OffsetDateTime, _: &dyn Values) -> askama::Result<String> {
    let whole = then
        .to_offset(UtcOffset::UTC)
        .replace_nanosecond(0)
        .map_err(askama::Error::custom)?;
    whole.format(&Rfc3339).map_err(askama::Error::custom)
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
    format!("{} {noun}{plural}", thousands(count))
}

fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::from(if number < 0 { "-" } else { "" });
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn relative(then: OffsetDateTime, now: OffsetDateTime) -> askama::Result<String> {
    let age = now - then;
    Ok(match age {
        // A little in the future is another machine's clock.
        _ if age < Duration::minutes(1) && age > -Duration::minutes(5) => "just now".into(),
        _ if age.is_negative() => format(then, DAY)?,
        _ if age < Duration::hours(1) => spoken(age.whole_minutes(), "minute"),
        _ if age < Duration::days(1) => spoken(age.whole_hours(), "hour"),
        _ if age < Duration::days(7) => spoken(age.whole_days(), "day"),
        _ => format(then, DAY)?,
    })
}

fn spoken(count: i64, noun: &str) -> String {
    format!("{} ago", counted(count, noun))
}

fn format(then: OffsetDateTime, how: &[BorrowedFormatItem<'_>]) -> askama::Result<String> {
    then.to_offset(UtcOffset::UTC)
        .format(how)
        .map_err(askama::Error::custom)
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
            assert_eq!(relative(then, now).unwrap(), text);
        }
        assert_eq!(
            format(datetime!(2026-03-12 00:05 +02:00), MINUTE).unwrap(),
            "11 Mar 2026, 22:05 UTC"
        );
    }
}
