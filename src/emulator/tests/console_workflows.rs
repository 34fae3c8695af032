//! Workflows on the control surface.

use serde_json::json;

use super::*;

#[actix_web::test]
async fn workflows_are_listed_added_and_removed() {
    let bench = Bench::open().await;
    let usual = crate::emulator::Workflow::usual("AKeyz");
    let list = async || bench.shown("workflows").await["workflows"].clone();
    let first = list().await;
    assert_eq!(
        (first.as_array().unwrap().len(), &first[0]["id"]),
        (2, &json!(usual.id))
    );
    assert_eq!(first[0]["tasks"], "virus_detection,tags,sfw");
    assert!(
        first[0]["results"][0]
            .as_str()
            .unwrap()
            .starts_with("virus_detection_1")
    );
    let (status, added) = bench
        .told(
            "workflows",
            json!({ "tasks": "ocr,resize=width:5", "app": "BKeyz" }),
        )
        .await;
    assert_eq!(
        (status, &added["app"], &added["tasks"]),
        (201, &json!("BKeyz"), &json!("ocr,resize=width:5"))
    );
    assert_eq!(list().await.as_array().unwrap().len(), 3);
    for (wrong, status) in [
        (json!({}), 400),
        (json!({ "tasks": "" }), 400),
        (json!({ "tasks": "magic" }), 400),
        (json!({ "tasks": "sfw", "id": "../x" }), 400),
        (json!({ "tasks": "sfw", "id": usual.id }), 400),
        (json!({ "tasks": "sfw", "app": "Unknown" }), 400),
        (json!({ "tasks": "sfw", "colour": 1 }), 400),
    ] {
        let (got, said) = bench.told("workflows", wrong.clone()).await;
        assert_eq!(got, status, "{wrong}: {said}");
        assert!(said["error"].as_str().unwrap().len() > 10, "{said}");
    }
    let remove = async |id: &str| {
        let url = format!("{}/__emulator/api/workflows?id={id}", bench.base);
        bench.http.delete(url).send().await.unwrap().status().as_u16()
    };
    assert_eq!(remove(&usual.id).await, 404);
    let id = added["id"].as_str().unwrap();
    // It is kept over a restart, and gone when it was removed.
    let page = bench.page().await;
    assert!(page.contains(id) && page.contains(&usual.id), "{page}");
    assert_eq!((remove(id).await, remove(id).await), (204, 404));
    assert_eq!(list().await.as_array().unwrap().len(), 2);
    let (status, said) = bench.told("processing", json!({ "seconds": 0.5 })).await;
    assert_eq!((status, said), (200, json!({ "seconds": 0.5 })));
    for wrong in [
        json!({ "seconds": -1 }),
        json!({ "seconds": 1e9 }),
        json!({}),
        json!({ "seconds": "x" }),
    ] {
        assert_eq!(bench.told("processing", wrong.clone()).await.0, 400, "{wrong}");
    }
    assert_eq!(bench.controls.processing_time(), Duration::from_millis(500));
}

#[actix_web::test]
async fn the_pages_forms_change_workflows_too() {
    let bench = Bench::open().await;
    let post = async |fields: &[(&str, &str)]| {
        let reply = bench.form("workflows", fields).await;
        (reply.status().as_u16(), reply.text().await.unwrap())
    };
    let (status, page) = post(&[("tasks", "ocr"), ("app", "BKeyz")]).await;
    assert_eq!(status, 200, "{page}");
    let all = bench.controls.workflows().all();
    let added = all.iter().find(|workflow| workflow.tasks() == "ocr").unwrap();
    assert_eq!(added.app.as_deref(), Some("BKeyz"));
    let (status, page) = post(&[("tasks", "<magic>")]).await;
    assert_eq!(status, 422);
    assert!(
        page.contains("Nothing was done") && !page.contains("<magic>"),
        "{page}"
    );
    post(&[("action", "remove"), ("id", &added.id)]).await;
    assert_eq!(bench.controls.workflows().all().len(), 2);
    post(&[("action", "processing"), ("seconds", "7")]).await;
    assert_eq!(bench.controls.processing_time(), Duration::from_secs(7));
}
