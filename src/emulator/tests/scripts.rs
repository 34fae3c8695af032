//! §9.1: the scripts a page loads.

use super::*;

#[actix_web::test]
async fn the_stand_ins_are_scripts_for_any_page_in_any_version() {
    let bench = Bench::secured().await;
    for (path, global) in [
        ("picker/picker.js", "fs-loader-picker"),
        ("picker/4.5.2/picker.js", "fs-loader-picker"),
        ("filestack-js/4.3.8/filestack.min.js", "window.filestack ="),
    ] {
        let reply = bench.get(path).await;
        assert_eq!(reply.status(), 200, "{path}");
        let header = |name: &str| reply.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "text/javascript; charset=utf-8");
        assert_eq!(header("access-control-allow-origin"), "*");
        assert!(reply.text().await.unwrap().contains(global), "{path}");
    }
    assert_eq!(bench.get("picker/1/2/picker.js").await.status(), 400);
    bench.assert_nothing_half_done().await;
}
