//! Computes the contrasts of the colours in `assets/css/tokens.css`, as WCAG 2.2 defines them.

use std::collections::HashMap;

const TOKENS: &str = include_str!("../../../assets/css/tokens.css");

/// WCAG 1.4.3: text, as (text, what is behind it).
const TEXT: &[(&str, &[&str])] = &[
    (
        "text",
        &[
            "paper",
            "surface",
            "sunken",
            "accent-soft",
            "good-soft",
            "caution-soft",
            "bad-soft",
        ],
    ),
    ("muted", &["paper", "surface", "sunken"]),
    ("accent", &["paper", "surface", "accent-soft"]),
    ("accent-strong", &["paper", "surface"]),
    ("on-accent", &["accent", "accent-strong"]),
    ("good", &["surface", "sunken", "good-soft"]),
    ("caution", &["surface", "sunken", "caution-soft"]),
    ("bad", &["paper", "surface", "sunken", "bad-soft"]),
    ("on-bad", &["bad-fill", "bad-fill-strong"]),
];

/// WCAG 1.4.11: borders of controls, focus rings and bars.
const CONTROLS: &[(&str, &[&str])] = &[
    ("control-line", &["paper", "surface", "sunken"]),
    (
        "focus",
        &["paper", "surface", "sunken", "accent-soft", "bad-soft"],
    ),
    ("accent", &["sunken"]),
];

/// The share of its own colour in the tile behind an icon, as `.thumb` mixes it.
const TILE: f64 = 0.13;

#[derive(Clone, Copy)]
struct Color([f64; 3]);

impl Color {
    fn parse(hex: &str) -> Self {
        let digits = hex
            .strip_prefix('#')
            .filter(|digits| digits.len() == 6)
            .expect("a colour is #rrggbb");
        Color([0, 2, 4].map(|at| f64::from(u8::from_str_radix(&digits[at..at + 2], 16).unwrap()) / 255.0))
    }

    fn mixed(self, share: f64, rest: Color) -> Color {
        Color([0, 1, 2].map(|i| self.0[i] * share + rest.0[i] * (1.0 - share)))
    }

    fn luminance(self) -> f64 {
        let [r, g, b] = self.0.map(|c| {
            if c <= 0.04045 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    fn contrast(self, other: Color) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }
}

/// The light and the dark palette.
fn palettes() -> [(&'static str, HashMap<&'static str, Color>); 2] {
    let mut light = HashMap::new();
    let mut dark = HashMap::new();
    for line in TOKENS.lines() {
        let Some((name, value)) = line
            .trim()
            .strip_prefix("--")
            .and_then(|rest| rest.split_once(": "))
        else {
            continue;
        };
        let Some(pair) = value
            .strip_prefix("light-dark(")
            .and_then(|rest| rest.strip_suffix(");"))
        else {
            continue;
        };
        let (bright, dim) = pair.split_once(", ").unwrap();
        light.insert(name, Color::parse(bright));
        dark.insert(name, Color::parse(dim));
    }
    [("light", light), ("dark", dark)]
}

fn check(pairs: &[(&str, &[&str])], least: f64) {
    for (theme, colors) in palettes() {
        for (front, backs) in pairs {
            for back in *backs {
                let contrast = colors[front].contrast(colors[back]);
                assert!(
                    contrast >= least,
                    "{theme}: {front} on {back} has only {contrast:.2}"
                );
            }
        }
    }
}

#[test]
fn text_has_a_contrast_of_at_least_4_5_in_both_themes() {
    check(TEXT, 4.5);
}

#[test]
fn controls_and_focus_have_a_contrast_of_at_least_3_in_both_themes() {
    check(CONTROLS, 3.0);
}

#[test]
fn icons_of_types_have_a_contrast_of_at_least_3_on_their_tile() {
    for (theme, colors) in palettes() {
        for (name, color) in colors.iter().filter(|(name, _)| name.starts_with("kind-")) {
            let contrast = color.contrast(color.mixed(TILE, colors["surface"]));
            assert!(contrast >= 3.0, "{theme}: {name} has only {contrast:.2}");
        }
    }
}

#[test]
fn black_on_white_is_21() {
    assert!((Color([0.0; 3]).contrast(Color([1.0; 3])) - 21.0).abs() < 1e-9);
}
