//! What a driver said it did.

use serde_json::Value;

/// The steps of one run of a driver.
#[derive(Debug)]
pub struct Report(Vec<(String, Value)>);

/// How an SDK's call failed.
#[derive(Debug)]
pub struct Failure {
    /// The exception's class, or the SDK's own word for it.
    pub kind: String,
    /// The SDK's sentence, and what the server said.
    pub text: String,
    /// HTTP status, when there was a reply.
    pub status: Option<u64>,
}

impl Report {
    /// Reads the driver's lines.
    ///
    /// # Panics
    /// When a line is no step, or a step was taken twice.
    #[track_caller]
    pub fn read(lines: &str) -> Self {
        let mut steps: Vec<(String, Value)> = Vec::new();
        for line in lines.lines() {
            let step: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let name = step["step"].as_str().expect("a step has a name").to_owned();
            assert!(
                steps.iter().all(|(known, _)| *known != name),
                "taken twice: {line}"
            );
            steps.push((name, step));
        }
        Self(steps)
    }

    /// The steps in the order they were taken.
    pub fn steps(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(step, _)| step.as_str())
    }

    /// Whether a step worked.
    #[track_caller]
    pub fn is_result(&self, step: &str) -> bool {
        self.line(step).get("ok").is_some()
    }

    /// The result of a step that has to have worked.
    #[track_caller]
    pub fn result(&self, step: &str) -> &Value {
        let line = self.line(step);
        line.get("ok")
            .unwrap_or_else(|| panic!("`{step}` failed: {}", line["error"]))
    }

    /// How a step failed that must not have worked.
    #[track_caller]
    pub fn failure(&self, step: &str) -> Failure {
        let line = self.line(step);
        let error = line
            .get("error")
            .unwrap_or_else(|| panic!("`{step}` worked: {}", line["ok"]));
        let said = match &error["data"] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            data => data.to_string(),
        };
        Failure {
            kind: error["kind"].as_str().unwrap_or_default().to_owned(),
            text: format!("{} {said}", error["text"].as_str().unwrap_or_default()),
            status: error["status"].as_u64(),
        }
    }

    /// The handle of an upload that has to have worked.
    #[track_caller]
    pub fn handle(&self, step: &str) -> &str {
        let result = self.result(step);
        result["handle"]
            .as_str()
            .unwrap_or_else(|| panic!("`{step}` gave no handle: {result}"))
    }

    #[track_caller]
    fn line(&self, step: &str) -> &Value {
        let found = self.0.iter().find(|(known, _)| known == step);
        found
            .map(|(_, line)| line)
            .unwrap_or_else(|| panic!("the driver did not come to `{step}`"))
    }
}
