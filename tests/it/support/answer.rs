//! An answer, read to its end.

use bytes::Bytes;
use reqwest::header::HeaderMap;
use scraper::{Html, Selector};
use serde_json::Value;

/// Status, headers and body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// The header of this name, if there is one.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("a header of plain characters"))
    }

    /// Where a redirect leads.
    pub fn location(&self) -> &str {
        assert!(
            matches!(self.status, 301..=308),
            "{}: {}",
            self.status,
            self.text()
        );
        self.header("location").expect("a redirect says where to")
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{}: no JSON ({error}): {}", self.status, self.text()))
    }

    /// A field of the body's object, as text.
    pub fn field(&self, name: &str) -> String {
        let json = self.json();
        let value = &json[name];
        value
            .as_str()
            .unwrap_or_else(|| panic!("no text in {name}: {json}"))
            .to_owned()
    }

    /// The code of a problem+json, which must also have a sentence and its own status.
    pub fn problem(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{}: {}",
            self.status,
            self.text()
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem}");
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(
            detail.len() > 20 && detail.ends_with('.'),
            "no sentence: {problem}"
        );
        self.field("code")
    }

    /// The body as a page.
    pub fn html(&self) -> Html {
        Html::parse_document(&self.text())
    }

    /// What a person reads in each element that the selector finds.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let (html, selector) = (self.html(), parse(selector));
        let found = html.select(&selector);
        found
            .map(|element| {
                let text: String = element.text().collect();
                text.split_whitespace().collect::<Vec<_>>().join(" ")
            })
            .collect()
    }

    /// This attribute of each element that the selector finds.
    pub fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let (html, selector) = (self.html(), parse(selector));
        let found = html.select(&selector);
        found
            .filter_map(|element| element.value().attr(name).map(str::to_owned))
            .collect()
    }
}

fn parse(selector: &str) -> Selector {
    Selector::parse(selector).unwrap_or_else(|error| panic!("{selector}: {error}"))
}
