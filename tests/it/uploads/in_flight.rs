//! Many uploads at once, within one memory budget.

use futures_util::future::join_all;

use super::MIB;
use crate::support::app::TestApp;
use crate::support::form::Form;
use crate::support::{content, eventually};

#[actix_web::test]
async fn uploads_beyond_the_memory_budget_wait_and_all_succeed() {
    let budget = 16 * MIB as u64;
    let app = TestApp::new()
        .var("SATCHEL_UPLOAD_MEMORY_BYTES", &budget.to_string())
        .start()
        .await;
    let ana = app.token("ana").await;
    let sizes = (0..40).map(|n| if n % 10 == 0 { 20 * MIB } else { MIB + n });
    let uploads = sizes.map(|size| {
        let form = Form::new().part(
            "form-data; name=\"file\"; filename=\"a.bin\"",
            None,
            &content(size),
        );
        let ana = &ana;
        async move { ana.upload_form("/api/uploads", &form).await }
    });
    for answer in join_all(uploads).await {
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    assert_eq!(app.stored_files(), 40);
    eventually("all memory is free again", async || {
        app.services.budget.free() == app.services.budget.all()
    })
    .await;
}
