//! `Range`: RFC 9110 §14, as far as one range goes. Filestack documents none of it; this is how static files behave (§4).

/// What of a file to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it, status 200.
    Whole,
    /// These bytes, both ends included, status 206.
    Bytes { first: u64, last: u64 },
    /// Nothing of it can be sent: status 416.
    None,
}

/// Reads a `Range` header for a file of `size` bytes.
///
/// What does not follow the grammar is ignored, as the RFC wants. So are several ranges: a server may, and answering
/// a hundred overlapping ones is how servers have been made to work themselves to death.
pub(super) fn part(header: &str, size: u64) -> Part {
    let Some((unit, set)) = header.split_once('=') else {
        return Part::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Part::Whole;
    }
    let Some((first, last)) = set.trim().split_once('-') else {
        return Part::Whole;
    };
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first > last => Part::Whole,
        (Some(first), last) if last.is_some() || set.trim().ends_with('-') => {
            if first >= size {
                return Part::None;
            }
            Part::Bytes {
                first,
                last: last.unwrap_or(u64::MAX).min(size - 1),
            }
        }
        (None, Some(0)) if first.is_empty() => Part::None,
        (None, Some(length)) if first.is_empty() => match size {
            // Satisfiable by the RFC, but there is no way to write it down.
            0 => Part::Whole,
            _ => Part::Bytes {
                first: size.saturating_sub(length),
                last: size - 1,
            },
        },
        _ => Part::Whole,
    }
}

/// A decimal number; one too large to hold is as good as the largest.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d1_one_range_is_cut_to_the_file() {
        let bytes = |first, last| Part::Bytes { first, last };
        for (header, wanted) in [
            ("bytes=0-0", bytes(0, 0)),
            ("bytes=2-5", bytes(2, 5)),
            ("bytes=2-", bytes(2, 9)),
            ("bytes=2-99999999999999999999999", bytes(2, 9)),
            ("bytes=-3", bytes(7, 9)),
            ("bytes=-300", bytes(0, 9)),
            ("Bytes= 9-9", bytes(9, 9)),
        ] {
            assert_eq!(part(header, 10), wanted, "{header}");
        }
    }

    #[test]
    fn d1_ranges_outside_the_file_cannot_be_sent() {
        for header in [
            "bytes=10-",
            "bytes=10-20",
            "bytes=-0",
            "bytes=99999999999999999999999-",
        ] {
            assert_eq!(part(header, 10), Part::None, "{header}");
        }
        assert_eq!(part("bytes=0-", 0), Part::None);
        assert_eq!(part("bytes=-5", 0), Part::Whole);
    }

    #[test]
    fn d1_what_is_no_range_or_more_than_one_is_ignored() {
        let hundred = format!("bytes={}", ["0-1"; 100].join(","));
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-2",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=1 - 2",
            "lines=1-2",
            "bytes=1-2x",
            &hundred,
        ] {
            assert_eq!(part(header, 10), Part::Whole, "{header}");
        }
    }
}
