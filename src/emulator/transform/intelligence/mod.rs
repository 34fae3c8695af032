//! What Filestack's models would see in a file (§6.8): replies of the documented shapes, made up from the content's SHA-256.
//!
//! The same content has the same answers, on every machine. Two kinds of answer are true: `ocr` of a text file reads its own
//! words, and the test marks [`UNSAFE_MARK`] and [`COPYRIGHT_MARK`] anywhere in a file turn `sfw` and `copyright` round, as the
//! EICAR text does for `virus_detection`.

mod chance;
mod ocr;
mod question;
mod words;

use serde_json::{Map, Value, json};

use self::chance::Chance;
pub use self::question::{Question, Sentiment};
use super::codec;
use super::error::TransformError;
use super::task::Crop;

/// A file with this text in it is not safe for work.
pub const UNSAFE_MARK: &str = "EMULATOR-TEST-FILE-NOT-SAFE-FOR-WORK";
/// A file with this text in it is somebody's work, with a licence.
pub const COPYRIGHT_MARK: &str = "EMULATOR-TEST-FILE-COPYRIGHTED";
/// §11.3: the longest side for `doc_detection`.
const MAX_DOCUMENT_SIDE: u32 = 2_000;

/// The reply to a question about content of this type and, when it is a picture, of this size.
///
/// # Errors
/// Only `doc_detection` minds what it is asked about: it wants a picture of bounded size.
pub(super) fn answer(
    question: Question,
    content: &[u8],
    mimetype: &str,
    size: Option<(u32, u32)>,
) -> Result<Value, TransformError> {
    let chance = || Chance::new(question.task(), content);
    Ok(match question {
        Question::Tags { version } => tags(chance(), version),
        Question::Sfw => json!({ "sfw": !has(content, UNSAFE_MARK) }),
        Question::Caption => json!({ "caption": words::caption(&mut chance()) }),
        Question::Ocr => ocr::read(content, mimetype, size, &mut chance()),
        Question::Copyright if has(content, COPYRIGHT_MARK) => json!({
            "copyright": true,
            "licenses": [{ "name": "Emulator Test Licence", "url": "https://licence.example/" }],
        }),
        Question::Copyright => json!({ "copyright": false }),
        Question::Document => {
            let Crop { x, y, width, height } = document(content, size.ok_or(TransformError::Unsupported)?)?;
            json!({ "coords": { "x": x, "y": y, "width": width, "height": height } })
        }
        // Without a picture there is no face.
        Question::ImageSentiment if size.is_none() => json!({ "emotions": {} }),
        Question::ImageSentiment => json!({ "emotions": shares(&mut chance(), &words::EMOTIONS, 100.0) }),
    })
}

/// Where the document lies that a picture of this size shows.
///
/// # Errors
/// When the content is no picture, or one beyond the documented limit.
pub(super) fn document(content: &[u8], (width, height): (u32, u32)) -> Result<Crop, TransformError> {
    codec::dimensions(content)?;
    if width.max(height) > MAX_DOCUMENT_SIDE {
        return Err(TransformError::Invalid(
            "The image is larger than the 2000 x 2000 pixels that doc_detection takes",
        ));
    }
    let mut chance = Chance::new("doc_detection", content);
    let mut margin = |side: u32| side * (2 + chance.below(8)) / 100;
    let (x, y) = (margin(width), margin(height));
    let (right, bottom) = (margin(width), margin(height));
    Ok(Crop {
        x,
        y,
        width: (width - x - right).max(1),
        height: (height - y - bottom).max(1),
    })
}

/// The reply of `text_sentiment`: four shares of one. Words that everybody takes for good or bad move it.
pub fn text_sentiment(asked: &Sentiment) -> Value {
    let mut chance = Chance::new(asked.language, asked.text.as_bytes());
    let (mut good, mut bad) = (0.0, 0.0);
    let letters = |word: &str| {
        word.trim_matches(|letter: char| !letter.is_alphanumeric())
            .to_lowercase()
    };
    for word in asked.text.split_whitespace().map(letters) {
        good += f64::from(u8::from(words::GOOD.contains(&word.as_str())));
        bad += f64::from(u8::from(words::BAD.contains(&word.as_str())));
    }
    let mut noise = || f64::from(chance.below(100)) / 1_000.0;
    let weights = [
        ("Positive", 4.0 * good + noise()),
        ("Negative", 4.0 * bad + noise()),
        ("Neutral", 1.0 + noise()),
        ("Mixed", f64::min(good, bad) + noise()),
    ];
    json!({ "emotions": of_whole(&weights, 1.0) })
}

fn tags(mut chance: Chance, version: u32) -> Value {
    // The two models see different things.
    chance.skip(version);
    let mut score = 99;
    let mut auto = Map::new();
    for _ in 0..4 + chance.below(4) {
        auto.insert(chance.one_of(&words::NOUNS).to_owned(), score.into());
        score -= 1 + chance.below(9);
    }
    json!({ "tags": { "auto": auto, "user": null } })
}

/// Shares of a whole for each name, with two decimals.
fn shares(chance: &mut Chance, names: &[&'static str], whole: f64) -> Map<String, Value> {
    // Squared twice, one of them is far ahead, as models like it.
    let weight = |chance: &mut Chance| f64::from(1 + chance.below(1_000)).powi(4);
    let weights: Vec<(&str, f64)> = names.iter().map(|name| (*name, weight(chance))).collect();
    of_whole(&weights, whole)
}

fn of_whole(weights: &[(&str, f64)], whole: f64) -> Map<String, Value> {
    let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let rounded = |weight: f64| (weight / sum * whole * 100.0).round() / 100.0;
    weights
        .iter()
        .map(|(name, weight)| ((*name).to_owned(), rounded(*weight).into()))
        .collect()
}

fn has(content: &[u8], mark: &str) -> bool {
    content
        .windows(mark.len())
        .any(|window| window[0] == mark.as_bytes()[0] && window == mark.as_bytes())
}
