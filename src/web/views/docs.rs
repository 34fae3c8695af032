//! The page that describes the JSON API and lets people try it.

use askama::Template;
use serde_json::Value;

use super::filters;
use super::shell::Shell;

/// The API, made from its description.
#[derive(Debug, Clone, Template)]
#[template(path = "docs.html")]
pub struct DocsPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// What the description says of the whole.
    pub introduction: String,
    /// What can be asked for.
    pub operations: Vec<Operation>,
    /// Every error: status, code, meaning.
    pub codes: Vec<(u16, &'static str, &'static str)>,
}

/// One thing that can be asked for.
#[derive(Debug, Clone, Default)]
pub struct Operation {
    /// Its name, for links.
    pub name: String,
    /// Method, in capitals.
    pub method: String,
    /// Path with `{parameters}`.
    pub path: String,
    /// A few words.
    pub summary: String,
    /// More, if there is more to say.
    pub description: String,
    /// What goes into path, query and headers.
    pub parameters: Vec<Parameter>,
    /// The body that it takes.
    pub body: Option<Body>,
    /// Answers that are none of the errors.
    pub answers: Vec<Response>,
    /// Errors.
    pub errors: Vec<Response>,
}

/// A parameter.
#[derive(Debug, Clone, Default)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// `path`, `query` or `header`.
    pub place: String,
    /// Whether it must be there.
    pub is_required: bool,
    /// What it means.
    pub description: String,
}

/// A body.
#[derive(Debug, Clone, Default)]
pub struct Body {
    /// Whether it is a form with a file; else it is JSON.
    pub is_form: bool,
    /// JSON to begin with.
    pub example: String,
    /// Its fields: name, type, meaning.
    pub fields: Vec<(String, String, String)>,
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// Status.
    pub status: String,
    /// What it means, a line each.
    pub lines: Vec<String>,
    /// The fields of its body: name, type, meaning.
    pub fields: Vec<(String, String, String)>,
}

/// How the name of a list's type begins.
const LIST: &str = "list of ";

impl DocsPage {
    /// The page of a description.
    pub fn new(shell: Shell, spec: &Value, codes: Vec<(u16, &'static str, &'static str)>) -> Self {
        let mut operations = Vec::new();
        for (path, item) in spec["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                operations.push(Operation::new(spec, path, method, operation));
            }
        }
        DocsPage {
            shell,
            introduction: text(&spec["info"]["description"]),
            operations,
            codes,
        }
    }
}

impl Operation {
    fn new(spec: &Value, path: &str, method: &str, operation: &Value) -> Self {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let responses = operation["responses"].as_object().into_iter().flatten();
        let responses: Vec<_> = responses
            .map(|(status, response)| Response::new(spec, status, response))
            .collect();
        let (answers, errors) = responses
            .into_iter()
            .partition(|response| response.status.as_str() < "400");
        Operation {
            name: text(&operation["operationId"]),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: text(&operation["summary"]),
            description: text(&operation["description"]),
            parameters: parameters
                .map(|parameter| Parameter {
                    name: text(&parameter["name"]),
                    place: text(&parameter["in"]),
                    is_required: parameter["required"].as_bool().unwrap_or(false),
                    description: text(&parameter["description"]),
                })
                .collect(),
            body: Body::new(spec, &operation["requestBody"]["content"]),
            answers,
            errors,
        }
    }
}

impl Body {
    fn new(spec: &Value, content: &Value) -> Option<Self> {
        let (kind, content) = content.as_object()?.iter().next()?;
        let fields = fields(spec, &content["schema"]);
        let example: Vec<_> = fields
            .iter()
            .map(|(name, kind, _)| format!("  \"{name}\": {}", example(kind)))
            .collect();
        Some(Body {
            is_form: kind == "multipart/form-data",
            example: format!("{{\n{}\n}}", example.join(",\n")),
            fields,
        })
    }
}

impl Response {
    fn new(spec: &Value, status: &str, response: &Value) -> Self {
        let description = text(&response["description"]);
        Response {
            status: status.to_owned(),
            lines: description
                .split("\n\n")
                .map(|line| line.replace('`', ""))
                .collect(),
            fields: fields(spec, &response["content"]["application/json"]["schema"]),
        }
    }
}

/// The fields of a schema, those of parts that it is made of included.
fn fields(spec: &Value, schema: &Value) -> Vec<(String, String, String)> {
    let schema = resolved(spec, schema);
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let mut found: Vec<_> = parts.flat_map(|part| fields(spec, part)).collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let meaning = text(&field["description"]);
        found.push((name.clone(), kind(field), meaning));
    }
    found
}

/// A value of this kind to begin with: bodies are made of texts and lists of them.
fn example(kind: &str) -> &'static str {
    if kind.starts_with(LIST) { "[\"\"]" } else { "\"\"" }
}

fn resolved<'a>(spec: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str().and_then(|name| name.strip_prefix('#')) {
        Some(pointer) => spec.pointer(pointer).unwrap_or(&Value::Null),
        None => schema,
    }
}

/// A type in a word or two.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
        return name.to_owned();
    }
    let mut word = match &schema["type"] {
        Value::Array(several) => several.iter().map(text).collect::<Vec<_>>().join(" or "),
        one => text(one),
    };
    if word == "array" {
        word = format!("{LIST}{}", kind(&schema["items"]));
    }
    match schema["format"].as_str() {
        Some(format) => format!("{word} ({format})"),
        None => word,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
impl DocsPage {
    pub(super) fn sample() -> Self {
        DocsPage::new(
            Shell::sample("/docs"),
            crate::web::openapi::description(),
            crate::web::openapi::codes().collect(),
        )
    }

    pub(super) fn sample_for_strangers() -> Self {
        DocsPage {
            shell: Shell::default(),
            ..DocsPage::sample()
        }
    }
}
