//! Whether somebody would rather read JSON or HTML: the `Accept` header (RFC 9110 §12.5.1).

use actix_web::http::header::{ACCEPT, HeaderMap};

/// Thousandths, as the header has at most three digits.
type Quality = u16;

/// JSON, if it is wanted more than HTML; the `usual` answer when both are wanted alike or nothing was said about either.
pub(super) fn prefers_json(headers: &HeaderMap, usual: bool) -> bool {
    let ranges: Vec<_> = headers
        .get_all(ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(range)
        .collect();
    let (json, html) = (wanted(&ranges, is_json), wanted(&ranges, is_html));
    if json == html { usual } else { json > html }
}

/// How precisely a range names a type: not at all, anything, a whole family, the type itself.
type Match = fn(&str) -> Option<u8>;

/// The quality of the most precise ranges that match; the best of them, as several types are JSON.
fn wanted(ranges: &[(String, Quality)], precision: Match) -> Quality {
    let matching = ranges
        .iter()
        .filter_map(|(range, quality)| precision(range).map(|precise| (precise, *quality)));
    matching.max().map_or(0, |(_, quality)| quality)
}

fn is_json(range: &str) -> Option<u8> {
    match range {
        "*/*" => Some(0),
        "application/*" => Some(1),
        "application/json" => Some(2),
        range if range.ends_with("+json") => Some(2),
        _ => None,
    }
}

fn is_html(range: &str) -> Option<u8> {
    match range {
        "*/*" => Some(0),
        "text/*" => Some(1),
        "text/html" | "application/xhtml+xml" => Some(2),
        _ => None,
    }
}

/// A media range and its quality; none for what is no range. A quality that makes no sense is taken for the default.
fn range(text: &str) -> Option<(String, Quality)> {
    let mut parameters = text.split(';').map(str::trim);
    let range = parameters.next()?.to_ascii_lowercase();
    range.contains('/').then_some(())?;
    let quality = parameters
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("q"))
        .and_then(|(_, value)| value.parse::<f32>().ok())
        .filter(|quality| (0.0..=1.0).contains(quality));
    Some((range, (quality.unwrap_or(1.0) * 1_000.0) as Quality))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn prefers(accept: &[&str], usual: bool) -> bool {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(ACCEPT, HeaderValue::from_str(value).expect("a header's value"));
        }
        prefers_json(&headers, usual)
    }

    #[test]
    fn what_is_wanted_more_is_what_is_answered() {
        for json in [
            "application/json",
            "application/problem+json",
            "application/json;q=0.2, text/html;q=0.1",
            "text/html;q=0, application/json",
            "text/html;q=0, */*",
            "text/*;q=0.3, application/*;q=0.4",
            "application/json, text/javascript, */*; q=0.01",
            "APPLICATION/JSON ; Q=0.9, text/html ; Q=0.8",
            "application/json;profile=\"a\"",
        ] {
            assert!(prefers(&[json], false), "{json}");
        }
        for html in [
            "text/html",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
            "application/json;q=0, */*",
            "application/json;q=0.1, text/html;q=0.2",
            "application/*;q=0.9, text/html",
        ] {
            assert!(!prefers(&[html], true), "{html}");
        }
        assert!(
            !prefers(&["application/json;q=0.5", "text/html"], true),
            "two headers"
        );
    }

    #[test]
    fn a_tie_is_the_usual_answer() {
        for accept in [
            "",
            "*/*",
            "image/png",
            "application/json, text/html",
            "application/json;q=0, text/html;q=0",
            "nonsense;;;q=,,",
            "*/*;q=0",
        ] {
            assert!(prefers(&[accept], true) && !prefers(&[accept], false), "{accept}");
        }
        assert!(prefers(&[], true) && !prefers(&[], false), "no header");
    }
}
