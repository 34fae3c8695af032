//! Parts in the slots of one file: whatever order, size and number of tries they come in, the file is what the last ones said.

use serde_json::json;

use super::*;

const PART: usize = 1000;

/// Where an upload in progress is.
fn upload(bench: &Bench, call: &Value) -> std::path::PathBuf {
    let id = call["upload_id"].as_str().unwrap();
    bench.dir.path().join("uploads").join(id)
}

/// Parts that have a file of their own.
fn own_files(bench: &Bench, call: &Value) -> usize {
    let parts = std::fs::read_dir(upload(bench, call).join("parts")).unwrap();
    let own = |part: std::io::Result<std::fs::DirEntry>| {
        let files = std::fs::read_dir(part.unwrap().path()).unwrap();
        files
            .filter(|file| file.as_ref().unwrap().metadata().unwrap().len() > 0)
            .count()
    };
    parts.map(own).sum()
}

async fn complete(bench: &Bench, call: &Value, etags: &[(u64, String)]) -> Vec<u8> {
    let mut call = call.clone();
    let listed: Vec<_> = etags.iter().map(|(part, etag)| (*part, etag.as_str())).collect();
    call["parts"] = parts(&listed);
    let (status, file) = bench.post("multipart/complete", &call).await;
    assert_eq!(status, 200, "{file}");
    bench.assert_nothing_half_done().await;
    let handle = file["handle"].as_str().unwrap();
    bench.controls.store().read(handle).unwrap().unwrap()
}

/// Cut as the sizes say and sent in this order; the first part's address is asked for first, as clients do.
async fn sent(bench: &Bench, sizes: &[usize], order: &[usize]) -> (Value, Vec<(u64, String)>, Vec<u8>) {
    let bytes = noise(sizes.iter().sum());
    let call = bench.begin(start_call(bytes.len())).await;
    let cut = |part: usize| {
        let at: usize = sizes[..part].iter().sum();
        &bytes[at..at + sizes[part]]
    };
    bench.ask_part(&call, json!({ "part": 1 }), cut(0)).await;
    let mut etags = Vec::new();
    for part in order {
        let number = *part as u64 + 1;
        etags.push((number, bench.part(&call, number, cut(*part)).await));
    }
    (call, etags, bytes)
}

#[actix_web::test]
async fn parts_of_one_size_are_written_where_they_belong_in_any_order() {
    let bench = Bench::open().await;
    for (sizes, order) in [
        (vec![PART; 3], vec![0, 1, 2]),
        (vec![PART, PART, PART, 1], vec![3, 1, 0, 2]),
        (vec![PART, PART - 1], vec![1, 0]),
    ] {
        let (call, etags, bytes) = sent(&bench, &sizes, &order).await;
        assert_eq!(own_files(&bench, &call), 0, "{sizes:?} {order:?}");
        assert!(
            complete(&bench, &call, &etags).await == bytes,
            "{sizes:?} {order:?}"
        );
    }
}

#[actix_web::test]
async fn parts_of_other_sizes_have_files_of_their_own() {
    let bench = Bench::open().await;
    for (sizes, order) in [
        (vec![PART, 2 * PART, PART], vec![0, 1, 2]),
        (vec![PART, 5, PART], vec![2, 1, 0]),
        (vec![5, PART, 7], vec![0, 1, 2]),
    ] {
        let (call, etags, bytes) = sent(&bench, &sizes, &order).await;
        assert!(own_files(&bench, &call) > 0, "{sizes:?}");
        assert!(complete(&bench, &call, &etags).await == bytes, "{sizes:?}");
    }
}

#[actix_web::test]
async fn a_part_that_comes_again_replaces_the_one_before() {
    let bench = Bench::open().await;
    for again in [0, 1, 2] {
        let (call, mut etags, mut bytes) = sent(&bench, &[PART; 3], &[0, 1, 2]).await;
        let other = vec![b'x'; PART];
        bytes[again * PART..(again + 1) * PART].copy_from_slice(&other);
        let number = again as u64 + 1;
        etags[again].1 = bench.part(&call, number, &other).await;
        assert_eq!(own_files(&bench, &call), 1);
        assert!(complete(&bench, &call, &etags).await == bytes, "part {number}");
    }
}

#[actix_web::test]
async fn a_part_that_broke_off_comes_again_into_its_slot() {
    let bench = Bench::open().await;
    let bytes = noise(2 * PART);
    let call = bench.begin(start_call(bytes.len())).await;
    let (_, ticket) = bench.ask_part(&call, json!({ "part": 1 }), &bytes[..PART]).await;
    // Other bytes than announced, of the announced length.
    let wrong = bench.put(&ticket, vec![0; PART]).await.unwrap();
    assert_eq!(wrong.status(), 400);
    let taken = upload(&bench, &call).join("slots").join("00001");
    for _ in 0..2000 {
        if !taken.exists() {
            break;
        }
        actix_web::rt::time::sleep(Duration::from_millis(1)).await;
    }
    let mut etags = Vec::new();
    for (part, piece) in (1..).zip(bytes.chunks(PART)) {
        etags.push((part, bench.part(&call, part, piece).await));
    }
    assert_eq!(own_files(&bench, &call), 0);
    assert!(complete(&bench, &call, &etags).await == bytes);
}

/// What a killed process leaves: a slot that is taken, with anything in it.
#[actix_web::test]
async fn a_slot_that_a_killed_process_took_is_left_alone() {
    let bench = Bench::open().await;
    let (call, mut etags, bytes) = sent(&bench, &[PART; 3], &[0, 2]).await;
    let dir = upload(&bench, &call);
    std::fs::write(dir.join("slots").join("00002"), "").unwrap();
    etags.insert(1, (2, bench.part(&call, 2, &bytes[PART..2 * PART]).await));
    assert_eq!(own_files(&bench, &call), 1);
    assert!(complete(&bench, &call, &etags).await == bytes);
}

/// Ten writers to three parts, and a completion in between: the file is made of parts that were whole when it was completed.
#[actix_web::test]
async fn parts_sent_at_once_and_completed_meanwhile_never_mix() {
    let bench = Bench::open().await;
    for round in 0..10_u8 {
        let (call, etags, _) = sent(&bench, &[PART; 3], &[0, 1, 2]).await;
        let fill = |letter: u8| vec![letter; PART];
        let writers = (0..9_u8).map(|at| {
            let (bench, call) = (&bench, &call);
            async move {
                let part = u64::from(at % 3) + 1;
                let (status, ticket) = bench
                    .ask_part(call, json!({ "part": part }), &fill(b'a' + at))
                    .await;
                // The upload may be complete by now.
                if status == 200 {
                    let _late = bench.put(&ticket, fill(b'a' + at)).await.unwrap();
                }
            }
        });
        let mut complete = call.clone();
        let listed: Vec<_> = etags.iter().map(|(part, etag)| (*part, etag.as_str())).collect();
        complete["parts"] = parts(&listed);
        let completing = bench.post("multipart/complete", &complete);
        let (_, (status, file)) = futures_util::join!(futures_util::future::join_all(writers), completing);
        match status {
            200 => {
                let handle = file["handle"].as_str().unwrap();
                let stored = bench.controls.store().read(handle).unwrap().unwrap();
                assert!(stored == noise(3 * PART), "round {round}: parts were mixed");
            }
            // A listed part was replaced before.
            400 => assert!(file["error"].as_str().unwrap().contains("ETag"), "{file}"),
            other => panic!("{other}: {file}"),
        }
    }
}
