//! Delivery paths and task lists (§6.1): whatever comes, the answer is a bounded list of tasks or a refusal that can be sent.

use super::error::GrammarError;
use super::grammar::{MAX_PATH_BYTES, MAX_SOURCES, MAX_TASKS, Parsed, Source, parse_json, parse_path};

const KEY: &str = "AKeyz";

/// Reads the bytes as a path; if they are JSON, as a list of tasks too.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    judge(parse_path(text, &|first| first == KEY), text);
    // The request's target is text; a path longer than it may be is refused before it is looked at.
    if text.len() > MAX_PATH_BYTES {
        assert!(parse_path(text, &|_| false).is_err());
    }
    if let Ok(tasks) = serde_json::from_str(text) {
        judge(parse_json(&["https://example.org/a.png"], tasks), "");
    }
}

fn judge(parsed: Result<Parsed, GrammarError>, text: &str) {
    match parsed {
        Ok(parsed) => {
            assert!(parsed.tasks.len() <= MAX_TASKS);
            assert!(parsed.api_key.is_none_or(|key| key == KEY));
            sane(&parsed.source, true);
            // A metadata suffix belongs to a file.
            assert!(!parsed.metadata_suffix || matches!(parsed.source, Source::Handle(_)));
            if let Some((policy, signature)) = parsed.security {
                assert!(policy.len() + signature.len() <= MAX_PATH_BYTES);
            }
        }
        Err(refusal) => {
            assert!(
                matches!(refusal.status(), 400 | 404 | 414 | 501),
                "{}",
                refusal.status()
            );
            // What is repeated of the path is cut short, so a refusal stays a line or two.
            let said = refusal.to_string();
            assert!(said.len() < 4096, "{} bytes for {} of path", said.len(), text.len());
        }
    }
}

fn sane(source: &Source, outermost: bool) {
    match source {
        Source::Handle(handle) => {
            assert!((1..=128).contains(&handle.len()));
            assert!(
                handle
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            );
        }
        Source::Url(url) => {
            let scheme = url.get(..7).unwrap_or_default().to_ascii_lowercase();
            assert!(scheme == "http://" || scheme == "https:/", "{url}");
        }
        Source::Alias(place) => assert!(!place.is_empty()),
        Source::Many(sources) => {
            assert!(outermost && (1..=MAX_SOURCES).contains(&sources.len()));
            sources.iter().for_each(|source| sane(source, false));
        }
        Source::Result { .. } | Source::None => assert!(outermost),
    }
}
