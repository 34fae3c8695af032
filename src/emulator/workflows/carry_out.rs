//! Runs the steps of a workflow on a file (§8). A step that changes the content hands it on; what looks at it, looks at what the
//! steps before have left.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Step, Workflow};
use crate::emulator::transform::{self, Content, Reply, Store, Task};
use crate::emulator::viruses;

/// What one step left behind as a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::emulator) struct Made {
    /// Its name among the run's results.
    pub hash: String,
    pub mimetype: String,
    pub size: u64,
}

/// A file that a run works on, and what it has made so far.
struct Bench<'a> {
    dir: &'a Path,
    mimetype: String,
    /// The content once it has been read.
    bytes: Option<Vec<u8>>,
    /// The largest content that is read as a whole.
    most: u64,
    made: Vec<Made>,
}

/// The results of all steps by name, and the files they made in `dir`, where `source` is what they work on.
///
/// `url` words where a made file is found; `store` keeps content as a file of its own and answers what is known of it. A step
/// that fails has an `error` instead of a result, and the next ones go on.
///
/// # Errors
/// When the directory cannot be read or written.
pub(in crate::emulator) fn carry_out(
    workflow: &Workflow,
    dir: &Path,
    mimetype: &str,
    most: u64,
    url: impl Fn(&str) -> String,
    mut store: impl FnMut(usize, &Store, &Path, &str) -> io::Result<Value>,
) -> io::Result<(Map<String, Value>, Vec<Made>)> {
    let mut bench = Bench {
        dir,
        mimetype: mimetype.to_owned(),
        bytes: None,
        most,
        made: Vec::new(),
    };
    let mut results = Map::new();
    for (at, step) in workflow.steps.iter().enumerate() {
        let result = match step.parsed() {
            Err(problem) => json!({ "error": problem }),
            Ok(None) => bench.viruses()?,
            Ok(Some(Task::Store(options))) => {
                let path = bench.current();
                let made = store(at, &options, &path, &bench.mimetype)?;
                json!(made)
            }
            Ok(Some(task)) => bench.transform(step, task, &url)?,
        };
        results.insert(step.name.clone(), result);
    }
    Ok((results, bench.made))
}

impl Bench<'_> {
    /// Where the content is that the next step works on.
    fn current(&self) -> std::path::PathBuf {
        match self.made.last() {
            Some(made) => self.dir.join(&made.hash),
            None => self.dir.join("source"),
        }
    }

    fn viruses(&self) -> io::Result<Value> {
        let found = viruses::scan(&mut File::open(self.current())?)?;
        Ok(json!({ "data": { "infected": !found.is_empty(), "infections_list": found } }))
    }

    fn transform(&mut self, step: &Step, task: Task, url: &impl Fn(&str) -> String) -> io::Result<Value> {
        if !self.read()? {
            return Ok(json!({ "error": "The file is too large to be transformed" }));
        }
        let bytes = self.bytes.as_deref().unwrap_or_default();
        let mimetype = &self.mimetype;
        let reply = transform::run(&[task], &[Content { bytes, mimetype }], false);
        match reply {
            Ok(Reply::Json(facts)) => Ok(json!({ "data": facts })),
            Ok(Reply::Image { bytes, mimetype }) => {
                let hash = hash(&step.name, &bytes);
                // The same bytes under the same name, however often it is written.
                fs::write(self.dir.join(&hash), &bytes)?;
                let size = bytes.len() as u64;
                let result = json!({ "url": url(&hash), "mimetype": mimetype, "size": size });
                self.made.push(Made {
                    hash,
                    mimetype: mimetype.clone(),
                    size,
                });
                self.bytes = Some(bytes);
                self.mimetype = mimetype;
                Ok(result)
            }
            Err(error) => {
                let text = error.to_string();
                let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
                Ok(json!({ "error": body.get("error").cloned().unwrap_or(text.into()) }))
            }
        }
    }

    /// Reads the content; `false` when it is too large.
    fn read(&mut self) -> io::Result<bool> {
        if self.bytes.is_none() {
            let mut file = File::open(self.current())?;
            // Nobody writes to it, so that is its length.
            if file.metadata()?.len() > self.most {
                return Ok(false);
            }
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            self.bytes = Some(bytes);
        }
        Ok(true)
    }
}

/// 32 characters: with the two ids that is the length by which the JavaScript SDK knows such a source.
fn hash(name: &str, bytes: &[u8]) -> String {
    let sum = Sha256::new()
        .chain_update(name)
        .chain_update([0])
        .chain_update(bytes)
        .finalize();
    sum.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
