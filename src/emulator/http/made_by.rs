//! How a stored result came about, as `fp.converse` tells it (§7.2): `/TASKS/SOURCE`, without key and policy, which are
//! nobody's business who hears of it.

use serde_json::Value;

/// From the path of a request.
pub(super) fn of_path(path: &str, is_key: impl Fn(&str) -> bool) -> String {
    let path = path.trim_start_matches('/');
    let rest = match path.split_once('/') {
        Some((first, rest)) if is_key(first) => rest,
        _ => path,
    };
    let told = rest.split('/').filter(|step| !is_security(step));
    format!("/{}", told.collect::<Vec<_>>().join("/"))
}

fn is_security(step: &str) -> bool {
    step == "security" || step.starts_with("security=")
}

/// From the fields of `POST /process` (§3.11).
pub(super) fn of_process(tasks: Option<&Value>, sources: &[&str]) -> String {
    let tasks = tasks.and_then(Value::as_array).into_iter().flatten();
    let mut steps: Vec<String> = tasks.filter_map(step).filter(|step| !is_security(step)).collect();
    steps.push(match sources {
        [one] => (*one).to_owned(),
        several => format!("[{}]", several.join(",")),
    });
    format!("/{}", steps.join("/"))
}

fn step(task: &Value) -> Option<String> {
    let name = task.get("name")?.as_str()?;
    let written = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let params = task
        .get("params")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let params: Vec<String> = params
        .map(|(name, value)| format!("{name}:{}", written(value)))
        .collect();
    Some(if params.is_empty() {
        name.to_owned()
    } else {
        format!("{name}={}", params.join(","))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn key_and_policy_are_left_out() {
        let is_key = |text: &str| text == "AKeyz";
        for (path, told) in [
            (
                "/AKeyz/security=p:x,s:y/resize=width:10/store/HANDLE",
                "/resize=width:10/store/HANDLE",
            ),
            (
                "/resize=width:10/security=s:y,p:x/store/HANDLE",
                "/resize=width:10/store/HANDLE",
            ),
            ("store/HANDLE", "/store/HANDLE"),
        ] {
            assert_eq!(of_path(path, is_key), told, "{path}");
        }
        let tasks = json!([
            { "name": "resize", "params": { "width": 10, "fit": "crop" } },
            { "name": "store" },
            { "name": "security", "params": { "policy": "x", "signature": "y" } },
            { "no": "task" },
        ]);
        let told = of_process(Some(&tasks), &["HANDLE"]);
        assert!(
            [
                "/resize=width:10,fit:crop/store/HANDLE",
                "/resize=fit:crop,width:10/store/HANDLE"
            ]
            .contains(&told.as_str()),
            "{told}"
        );
        assert_eq!(of_process(None, &["A", "B"]), "/[A,B]");
    }
}
