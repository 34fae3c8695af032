//! Tasks on the CDN whose reply is not a picture: what is to be seen on one, text, videos, workflows. Also having one made ahead.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::client::Filestack;
use super::delivery::security;
use super::encode::percent;
use super::endpoints::at;
use super::error::FilestackError;
use super::handle::Handle;
use super::policy::Grant;
use super::reply;
use super::retry::Retries;
use super::transform::Transform;

/// What is to be seen on a picture.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Tags {
    /// Tags, and how sure Filestack is of each, per cent.
    #[serde(default)]
    pub auto: BTreeMap<String, f64>,
}

/// How far a conversion of a video is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct VideoConversion {
    /// `started`, `pending`, `completed` or `failed`.
    pub status: String,
    /// Filestack's name of it: the webhook carries the same.
    pub uuid: String,
    /// Why it failed.
    #[serde(default)]
    pub message: Option<String>,
    /// Once completed: `url`, `thumb` and more.
    #[serde(default)]
    pub data: Value,
    /// Once completed: `result` and `source`.
    #[serde(default)]
    pub metadata: Value,
}

impl VideoConversion {
    /// Whether it still goes on.
    pub fn is_under_way(&self) -> bool {
        matches!(self.status.as_str(), "started" | "pending")
    }

    /// The new file, once there is one.
    pub fn handle(&self) -> Option<Handle> {
        if self.status != "completed" {
            return None;
        }
        Handle::from_url(self.data.get("url")?.as_str()?)
    }
}

/// A run of a workflow.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct WorkflowRun {
    /// Filestack's name of the run.
    #[serde(rename = "jobid", alias = "job")]
    pub job: String,
    /// `Started` or `Finished`, among others.
    #[serde(default)]
    pub status: String,
    /// What each task found, by the task's name.
    #[serde(default)]
    pub results: Value,
}

impl WorkflowRun {
    /// Whether nothing more will come of it.
    pub fn is_finished(&self) -> bool {
        self.status.eq_ignore_ascii_case("finished")
    }

    /// Whether it ended in a way that has no results.
    pub fn has_failed(&self) -> bool {
        ["failed", "error", "cancelled"]
            .iter()
            .any(|word| self.status.eq_ignore_ascii_case(word))
    }
}

impl Filestack {
    /// Names what is to be seen on a picture; the grant is for [`Purpose::Convert`](super::Purpose::Convert).
    ///
    /// # Errors
    /// [`FilestackError::NotFound`] when there is no such file.
    pub async fn tags(&self, handle: &Handle, grant: Grant) -> Result<Tags, FilestackError> {
        #[derive(Deserialize)]
        struct Reply {
            tags: Tags,
        }
        let reply: Reply = self.task("tags", Some(handle), &grant).await?;
        Ok(reply.tags)
    }

    /// Whether a picture is safe for work; the grant is for [`Purpose::Convert`](super::Purpose::Convert).
    ///
    /// # Errors
    /// [`FilestackError::NotFound`] when there is no such file.
    pub async fn is_safe_for_work(&self, handle: &Handle, grant: Grant) -> Result<bool, FilestackError> {
        #[derive(Deserialize)]
        struct Reply {
            sfw: bool,
        }
        let reply: Reply = self.task("sfw", Some(handle), &grant).await?;
        Ok(reply.sfw)
    }

    /// The text on a picture, a line for each of its lines; the grant is for [`Purpose::Convert`](super::Purpose::Convert).
    ///
    /// # Errors
    /// [`FilestackError::NotFound`] when there is no such file.
    pub async fn text(&self, handle: &Handle, grant: Grant) -> Result<String, FilestackError> {
        let reply: Value = self.task("ocr", Some(handle), &grant).await?;
        Ok(text_of(&reply))
    }

    /// Has a video converted, or tells how far that is: the same call does both. The grant is for
    /// [`Purpose::Convert`](super::Purpose::Convert).
    ///
    /// # Errors
    /// [`FilestackError::NotFound`] when there is no such file.
    pub async fn convert_video(
        &self,
        handle: &Handle,
        preset: &str,
        grant: Grant,
    ) -> Result<VideoConversion, FilestackError> {
        let task = format!("video_convert=preset:{}", percent(preset, "."));
        self.task(&task, Some(handle), &grant).await
    }

    /// Runs a workflow on a file; the grant is for [`Purpose::RunWorkflow`](super::Purpose::RunWorkflow). It is sent once: each
    /// repetition would be another run.
    ///
    /// # Errors
    /// [`FilestackError::NotFound`] when there is no such file.
    pub async fn run_workflow(
        &self,
        handle: &Handle,
        workflow: &str,
        grant: Grant,
    ) -> Result<WorkflowRun, FilestackError> {
        let url = self.task_url(
            &format!("run_workflow=id:{}", percent(workflow, "")),
            Some(handle),
            &grant,
        );
        let request = self
            .request(Method::GET, url)
            .timeout(self.options().response_timeout);
        reply::call(request).await
    }

    /// How far a run of a workflow is; the grant is for [`Purpose::WatchWorkflow`](super::Purpose::WatchWorkflow).
    ///
    /// # Errors
    /// [`FilestackError::NotFound`] when there is no such run, or none any more.
    pub async fn workflow_status(&self, job: &str, grant: Grant) -> Result<WorkflowRun, FilestackError> {
        let task = format!("workflow_status=job_id:{}", percent(job, ""));
        self.task(&task, None, &grant).await
    }

    /// Has a transformation made, so that it is there when somebody looks; gives its size. The grant is for
    /// [`Purpose::Convert`](super::Purpose::Convert).
    ///
    /// # Errors
    /// [`FilestackError::NotFound`] when there is no such file.
    pub async fn prepare(
        &self,
        handle: &Handle,
        transform: &Transform,
        grant: Grant,
    ) -> Result<u64, FilestackError> {
        let url = self.transform_url(handle, transform, Some(&grant));
        let mut retries = Retries::new(self.options());
        loop {
            let request = self
                .request(Method::GET, url.clone())
                .timeout(self.options().complete_timeout);
            match size_of(request).await {
                Ok(size) => return Ok(size),
                Err(error) => retries.after(error).await?,
            }
        }
    }

    async fn task<T: DeserializeOwned>(
        &self,
        task: &str,
        handle: Option<&Handle>,
        grant: &Grant,
    ) -> Result<T, FilestackError> {
        let url = self.task_url(task, handle, grant);
        let mut retries = Retries::new(self.options());
        loop {
            let request = self
                .request(Method::GET, url.clone())
                .timeout(self.options().complete_timeout);
            match reply::call(request).await {
                Ok(reply) => return Ok(reply),
                Err(error) => retries.after(error).await?,
            }
        }
    }

    /// A task that has no file to name the application by names it by its key.
    fn task_url(&self, task: &str, handle: Option<&Handle>, grant: &Grant) -> url::Url {
        let security = security(Some(grant));
        let path = match handle {
            Some(handle) => format!("{security}/{task}/{handle}"),
            None => format!("/{}{security}/{task}", percent(self.api_key().as_str(), "")),
        };
        at(&self.endpoints().cdn, &path)
    }
}

/// Reads a reply to its end and keeps nothing of it.
async fn size_of(request: reqwest::RequestBuilder) -> Result<u64, FilestackError> {
    let mut response = reply::send(request).await?;
    let mut size = 0;
    while let Some(chunk) = response.chunk().await? {
        size += chunk.len() as u64;
    }
    Ok(size)
}

/// Filestack says the text in several places, and not in all of them each time.
fn text_of(reply: &Value) -> String {
    if let Some(text) = reply.get("text").and_then(Value::as_str) {
        return text.to_owned();
    }
    let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned();
    let areas = reply
        .get("document")
        .and_then(|document| list(document, "text_areas"));
    let lines = areas
        .unwrap_or_default()
        .iter()
        .flat_map(|area| list(area, "lines").unwrap_or_default())
        .filter_map(|line| Some(line.get("text")?.as_str()?.to_owned()))
        .collect::<Vec<_>>();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_is_found_wherever_it_is() {
        assert_eq!(
            text_of(&json!({"text": "all of it", "document": {}})),
            "all of it"
        );
        let areas = json!({"document": {"text_areas": [
            {"lines": [{"text": "one"}, {"text": "two"}]}, {"lines": [{"text": "three"}]}, {}
        ]}});
        assert_eq!(text_of(&areas), "one\ntwo\nthree");
        assert_eq!(text_of(&json!({})), "");
    }

    #[test]
    fn a_conversion_has_a_file_only_when_it_is_completed() {
        let of = |text: &str| serde_json::from_str::<VideoConversion>(text).unwrap();
        let started = of(r#"{"status":"started","uuid":"u","timestamp":"1","data":{},"metadata":{}}"#);
        assert!(started.is_under_way() && started.handle().is_none());
        let done =
            of(r#"{"status":"completed","uuid":"u","data":{"url":"https://cdn.filestackcontent.com/AbC"}}"#);
        assert_eq!(done.handle().unwrap().as_str(), "AbC");
        let failed = of(r#"{"status":"failed","uuid":"u","message":"no","data":{"url":"https://x/AbC"}}"#);
        assert!(!failed.is_under_way() && failed.handle().is_none());
    }

    #[test]
    fn a_run_is_named_in_either_spelling() {
        let of = |text: &str| serde_json::from_str::<WorkflowRun>(text).unwrap();
        assert_eq!(of(r#"{"jobid":"j","status":"Started"}"#).job, "j");
        assert!(of(r#"{"job":"j","status":"Finished","results":{}}"#).is_finished());
    }
}
