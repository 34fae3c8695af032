//! Workflows (§8): tasks that run on a file one after another, and what is known of them by its id.
//!
//! At Filestack they are drawn in the portal; here an emulator is started with them or told of them while it runs, and every
//! application has one from the beginning. `steps` reads their text, `registry` knows them, `carry_out` runs one on a file, and
//! `runs` says when.

mod carry_out;
mod registry;
mod steps;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub(super) use carry_out::{Made, carry_out};
pub use registry::Workflows;
pub use steps::Step;

/// What every application can run without any set-up.
const USUAL_TASKS: &str = "virus_detection,tags,sfw";
const FORM: &str = "write UUID=TASK[,TASK…], for example \
                    7f8e1c9a-2d64-4f0b-9b0e-3c5a6d7e8f90=virus_detection,tags,resize=width:100,store";

/// Tasks that run on a file one after another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workflow {
    /// Its id, a UUID.
    pub id: String,
    /// Key of the application it belongs to; the first one's when unset.
    #[serde(default)]
    pub app: Option<String>,
    /// What it does, in order.
    pub steps: Vec<Step>,
}

impl Workflow {
    /// A workflow of the first application. `tasks` are written as in delivery URLs and separated by commas or slashes.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the id or the tasks.
    pub fn new(id: &str, tasks: &str) -> Result<Self, String> {
        let uuid = Uuid::try_parse(id)
            .ok()
            .filter(|_| id.len() == 36)
            .ok_or_else(|| format!("a workflow's id is a UUID: {FORM}"))?;
        let id = uuid.to_string();
        let steps = steps::read(&id, tasks).map_err(|problem| format!("{problem}: {FORM}"))?;
        Ok(Self { id, app: None, steps })
    }

    /// Reads `UUID=TASK[,TASK…]`, or `KEY:UUID=…` for one application's.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (id, tasks) = text
            .split_once('=')
            .ok_or_else(|| format!("a workflow has an id and tasks: {FORM}"))?;
        match id.split_once(':') {
            Some((key, id)) if !key.is_empty() => Ok(Self::new(id, tasks)?.of_app(key)),
            _ => Self::new(id, tasks),
        }
    }

    /// The same for another application.
    #[must_use]
    pub fn of_app(self, key: &str) -> Self {
        Self {
            app: Some(key.to_owned()),
            ..self
        }
    }

    /// What an application has without any set-up: it looks for viruses and asks for tags and safety for work. Its id is
    /// always the same for the same key.
    pub fn usual(key: &str) -> Self {
        let sum = Sha256::digest(format!("usual workflow of {key}"));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&sum[..16]);
        let id = uuid::Builder::from_random_bytes(bytes).into_uuid().to_string();
        let steps = steps::read(&id, USUAL_TASKS).expect("the tasks are in the list of those that can run");
        Self {
            id,
            app: Some(key.to_owned()),
            steps,
        }
    }

    /// Its tasks as [`Workflow::new`] reads them.
    pub fn tasks(&self) -> String {
        let tasks: Vec<&str> = self.steps.iter().map(|step| step.task.as_str()).collect();
        tasks.join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "7f8e1c9a-2d64-4f0b-9b0e-3c5a6d7e8f90";

    fn tasks(text: &str) -> Vec<String> {
        let workflow = Workflow::new(ID, text).unwrap_or_else(|problem| panic!("{problem}"));
        workflow.steps.into_iter().map(|step| step.task).collect()
    }

    #[test]
    fn a_workflow_is_an_id_and_tasks_as_in_urls() {
        let workflow =
            Workflow::parse(&format!("AKeyz:{}=virus_detection,store", ID.to_uppercase())).unwrap();
        assert_eq!(
            (workflow.id.as_str(), workflow.app.as_deref()),
            (ID, Some("AKeyz"))
        );
        assert_eq!(workflow.tasks(), "virus_detection,store");
        assert_eq!(Workflow::parse(&format!("{ID}=sfw")).unwrap().app, None);
        assert_eq!(
            tasks("resize=width:10,height:20,crop=dim:[0,0,5,5],tags"),
            ["resize=width:10,height:20", "crop=dim:[0,0,5,5]", "tags"]
        );
        assert_eq!(
            tasks("rotate=deg:90/flip/store=path:\"a/b,c/\",filename:x.png"),
            ["rotate=deg:90", "flip", "store=path:\"a/b,c/\",filename:x.png"]
        );
    }

    #[test]
    fn names_of_results_are_action_and_milliseconds_and_stay() {
        let names = |text| {
            let workflow = Workflow::new(ID, text).unwrap();
            let names = workflow.steps.into_iter().map(|step| step.name);
            names.collect::<Vec<String>>()
        };
        let first = names("tags,tags,virus_detection");
        assert_eq!(first, names("tags,tags,virus_detection"));
        assert_ne!(first[0], first[1]);
        for (name, action) in first.iter().zip(["tags_", "tags_", "virus_detection_"]) {
            let ms = name.strip_prefix(action).unwrap();
            assert!(
                ms.len() == 13 && ms.bytes().all(|byte| byte.is_ascii_digit()),
                "{name}"
            );
        }
    }

    #[test]
    fn every_app_has_one_that_never_changes() {
        let usual = Workflow::usual("AKeyz");
        assert_eq!(usual, Workflow::usual("AKeyz"));
        assert_ne!(usual.id, Workflow::usual("BKeyz").id);
        assert_eq!(usual.tasks(), USUAL_TASKS);
        assert_eq!(Workflow::new(&usual.id, USUAL_TASKS).unwrap().steps, usual.steps);
    }

    #[test]
    fn what_cannot_run_is_refused_with_an_example() {
        let many = vec!["sfw"; 21].join(",");
        for wrong in [
            "",
            "x",
            "x=sfw",
            "7f8e1c9a2d644f0b9b0e3c5a6d7e8f90=sfw",
            &format!("{ID}="),
            &format!("{ID}=,sfw"),
            &format!("{ID}=magic"),
            &format!("{ID}=resize"),
            &format!("{ID}=resize=width:10001"),
            &format!("{ID}=security=p:a,s:b"),
            &format!("{ID}=run_workflow=id:x"),
            &format!("{ID}=video_convert"),
            &format!("{ID}=video_sfw"),
            &format!("{ID}=sepia"),
            &format!("{ID}=store=path:\"../x\""),
            &format!("{ID}=sfw,../AAAAAAAAAAAAAAAAAAAA"),
            &format!("{ID}={many}"),
        ] {
            let problem = Workflow::parse(wrong).unwrap_err();
            assert!(problem.contains("for example"), "{wrong}: {problem}");
        }
    }
}
