//! What is said of a run: §6.7, §8.

use serde_json::{Value, json};

use super::record::{Run, State, Work};

/// §8 has a whole number and does not say of what; nothing ends here when it is over.
const TTL: u32 = 86_400;

impl Run {
    fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended | State::Told)
    }

    /// The workflow it is a run of; empty for a conversion.
    pub(in crate::emulator) fn workflow(&self) -> &str {
        match &self.work {
            Work::Workflow(workflow) => &workflow.id,
            Work::Video(_) => "",
        }
    }

    /// Answers who began it. `base` begins URLs.
    pub(in crate::emulator) fn begun(&self, base: &str) -> Value {
        match &self.work {
            Work::Workflow(_) => json!({
                "createdAt": written(self.created_ms),
                "updatedAt": written(self.created_ms),
                "jobid": self.id,
                "sources": [self.source],
                "status": "Started",
                "workflow": self.workflow(),
            }),
            Work::Video(_) => self.conversion(base),
        }
    }

    /// Answers who asks how far a workflow is.
    pub(in crate::emulator) fn status(&self, base: &str) -> Value {
        let results = if self.has_ended() {
            absolute(&self.outcome, base)
        } else {
            json!({})
        };
        json!({
            "createdAt": written(self.created_ms),
            "updatedAt": written(self.changed_ms),
            "jobid": self.id,
            "sources": [self.source],
            "status": if self.has_ended() { "Finished" } else { "Started" },
            "workflow": self.workflow(),
            "results": results,
            "ttl": TTL,
        })
    }

    /// The `text` of `fs.workflow`.
    pub(super) fn workflow_event(&self) -> Value {
        json!({
            "workflow": self.workflow(),
            "createdAt": written(self.created_ms),
            "updatedAt": written(self.changed_ms),
            "sources": [self.source],
            "results": absolute(&self.outcome, &self.base),
            "status": "Finished",
            "jobid": self.id,
        })
    }

    /// How far a conversion is.
    pub(in crate::emulator) fn conversion(&self, base: &str) -> Value {
        if !self.has_ended() {
            return json!({
                "status": "started",
                "uuid": self.id,
                "timestamp": (self.created_ms / 1000).to_string(),
                "data": {},
                "metadata": { "result": {}, "source": {} },
            });
        }
        let mut reply = absolute(&self.outcome, base);
        reply["uuid"] = self.id.clone().into();
        reply["timestamp"] = (self.changed_ms / 1000).to_string().into();
        reply
    }
}

/// The same with the origin in front of every text that is a path of ours, which are those named `url` or `thumb…`.
fn absolute(value: &Value, base: &str) -> Value {
    let is_place = |name: &str| name == "url" || name.starts_with("thumb");
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let value = match value {
                    Value::String(path) if is_place(name) && path.starts_with('/') => {
                        format!("{}{path}", base.trim_end_matches('/')).into()
                    }
                    value => absolute(value, base),
                };
                (name.clone(), value)
            })
            .collect(),
        Value::Array(values) => values.iter().map(|value| absolute(value, base)).collect(),
        value => value.clone(),
    }
}

/// RFC 3339 with nanoseconds.
pub(super) fn written(ms: u64) -> String {
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_millis(ms);
    let text = crate::emulator::clock::written(at);
    match text.strip_suffix('Z') {
        Some(moment) => format!("{moment}000000Z"),
        None => text,
    }
}
