//! What made-up answers are made of.

use super::chance::Chance;

pub(super) const NOUNS: [&str; 32] = [
    "animal",
    "architecture",
    "beach",
    "bird",
    "boat",
    "bridge",
    "building",
    "car",
    "cat",
    "city",
    "cloud",
    "dog",
    "field",
    "flower",
    "food",
    "forest",
    "garden",
    "grass",
    "house",
    "lake",
    "landscape",
    "mountain",
    "night",
    "people",
    "plant",
    "river",
    "road",
    "sky",
    "snow",
    "street",
    "tree",
    "water",
];
pub(super) const EMOTIONS: [&str; 8] = [
    "HAPPY",
    "SAD",
    "ANGRY",
    "CONFUSED",
    "DISGUSTED",
    "SURPRISED",
    "CALM",
    "FEAR",
];
pub(super) const GOOD: [&str; 16] = [
    "good",
    "great",
    "happy",
    "love",
    "lovely",
    "excellent",
    "nice",
    "wonderful",
    "best",
    "thanks",
    "perfect",
    "like",
    "beautiful",
    "fine",
    "glad",
    "amazing",
];
pub(super) const BAD: [&str; 16] = [
    "bad", "sad", "hate", "ugly", "terrible", "awful", "worst", "broken", "angry", "poor", "horrible",
    "wrong", "never", "fail", "failed", "boring",
];
const ADJECTIVES: [&str; 8] = ["small", "large", "red", "blue", "old", "bright", "quiet", "green"];
const PLACES: [&str; 8] = [
    "in front of a house",
    "next to a tree",
    "under a blue sky",
    "by the water",
    "on a table",
    "in a field",
    "on a street",
    "in the snow",
];
const LINE: [&str; 24] = [
    "invoice",
    "total",
    "the",
    "of",
    "and",
    "number",
    "date",
    "page",
    "amount",
    "name",
    "address",
    "order",
    "for",
    "with",
    "due",
    "paid",
    "street",
    "city",
    "notes",
    "item",
    "price",
    "tax",
    "sum",
    "signature",
];

/// A sentence about a picture.
pub(super) fn caption(chance: &mut Chance) -> String {
    let adjective = chance.one_of(&ADJECTIVES);
    let noun = chance.one_of(&NOUNS);
    let article = if adjective.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {adjective} {noun} {}", chance.one_of(&PLACES))
}

/// A few lines such as a form has.
pub(super) fn lines(chance: &mut Chance) -> Vec<String> {
    let line = |chance: &mut Chance| {
        let count = 2 + chance.below(4);
        let words: Vec<&str> = (0..count).map(|_| chance.one_of(&LINE)).collect();
        words.join(" ")
    };
    let count = 2 + chance.below(3);
    (0..count).map(|_| line(chance)).collect()
}
