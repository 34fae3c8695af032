//! What paths mean, and with which words wrong ones are refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;

use super::support::{HANDLE, KEY, parse, refusal, tasks};
use crate::emulator::transform::{
    Align, Cache, Color, Crop, Enhance, Fallback, Fit, Format, Horizontal, Output, Quality, Question, Resize,
    Rotate, Sentiment, Source, Task, Vertical,
};

const CENTER: Align = Align {
    horizontal: Horizontal::Center,
    vertical: Vertical::Middle,
};

fn resize(width: Option<u32>, height: Option<u32>, fit: Fit) -> Task {
    Task::Resize(Resize {
        width,
        height,
        fit,
        align: CENTER,
    })
}

fn handle() -> Source {
    Source::Handle(HANDLE.to_owned())
}

#[test]
fn a_handle_alone_is_a_file() {
    let parsed = parse(HANDLE).unwrap();
    assert_eq!(parsed.source, handle());
    assert!(parsed.tasks.is_empty() && parsed.security.is_none() && !parsed.metadata_suffix);
    assert_eq!(parse(&format!("{HANDLE}/")).unwrap().source, handle());
}

#[test]
fn metadata_may_follow_a_handle() {
    let parsed = parse(&format!("security=p:abc,s:def/{HANDLE}/metadata")).unwrap();
    assert!(parsed.metadata_suffix);
    assert_eq!(parsed.security, Some(("abc".to_owned(), "def".to_owned())));
    assert_eq!(parse("metadata/HANDLE").unwrap().tasks, [Task::Metadata(vec![])]);
}

#[test]
fn the_api_key_is_first_and_optional_for_handles() {
    let parsed = parse(&format!("{KEY}/resize=width:10/{HANDLE}")).unwrap();
    assert_eq!(parsed.api_key.as_deref(), Some(KEY));
    assert_eq!(parsed.tasks, [resize(Some(10), None, Fit::Clip)]);
    assert_eq!(parse(&format!("resize=width:10/{HANDLE}")).unwrap().api_key, None);
    assert_eq!(
        refusal("SomeOtherKey/resize=width:10/x"),
        (400, "invalid task `SomeOtherKey`".to_owned())
    );
}

#[test]
fn javascript_spells_external_sources_in_escaped_quotes() {
    let path = format!("{KEY}/resize=width:10/%22https://ex.org/a.png%22");
    assert_eq!(
        parse(&path).unwrap().source,
        Source::Url("https://ex.org/a.png".to_owned())
    );
    let path = format!("{KEY}/flip/\"https://ex.org/a,b/c.png\"");
    assert_eq!(
        parse(&path).unwrap().source,
        Source::Url("https://ex.org/a,b/c.png".to_owned())
    );
}

#[test]
fn python_spells_external_sources_as_they_are() {
    let path =
        format!("{KEY}/crop=dim:[0,0,10,20]/resize=fit:max,width:5/https://ex.org/x=1/a%20b.png?q=1,2");
    let parsed = parse(&path).unwrap();
    assert_eq!(
        parsed.source,
        Source::Url("https://ex.org/x=1/a%20b.png?q=1,2".to_owned())
    );
    assert_eq!(
        parsed.tasks,
        [
            Task::Crop(Crop {
                x: 0,
                y: 0,
                width: 10,
                height: 20
            }),
            resize(Some(5), None, Fit::Max)
        ]
    );
}

#[test]
fn an_escaped_address_is_decoded_once() {
    let path = format!("{KEY}/https%3A%2F%2Fex.org%2Fa%2520b.png");
    assert_eq!(
        parse(&path).unwrap().source,
        Source::Url("https://ex.org/a%20b.png".to_owned())
    );
}

#[test]
fn aliases_and_lists_are_sources() {
    let path = format!("{KEY}/src://bucket/folder/a%20b.png");
    assert_eq!(
        parse(&path).unwrap().source,
        Source::Alias("bucket/folder/a b.png".to_owned())
    );
    let many = Source::Many(vec![
        Source::Handle("H1".to_owned()),
        Source::Handle("H2".to_owned()),
        Source::Url("https://ex.org/a.png".to_owned()),
    ]);
    for list in [
        "[H1,H2,https://ex.org/a.png]",
        "%5BH1,H2,%22https://ex.org/a.png%22%5D",
    ] {
        assert_eq!(
            parse(&format!("{KEY}/zip/{list}")).unwrap().source,
            many,
            "{list}"
        );
    }
}

#[test]
fn what_a_workflow_made_is_a_source() {
    let made = Source::Result {
        workflow: "w-1".to_owned(),
        job: "j-2".to_owned(),
        hash: "h3".to_owned(),
    };
    for path in [
        "wf://w-1/j-2/h3",
        "resize=width:5/wf://w-1/j-2/h3",
        "wf%3A%2F%2Fw-1/j-2/h3",
    ] {
        assert_eq!(parse(&format!("{KEY}/{path}")).unwrap().source, made, "{path}");
    }
}

#[test]
fn security_stands_anywhere_in_either_order() {
    for path in [
        "security=p:UE9M,s:51g/resize=width:10/HANDLE",
        "resize=width:10/security=s:51g,p:UE9M/HANDLE",
        "security=policy:UE9M,signature:51g/resize=w:10/HANDLE",
        "resize=width:10/security=signature:51g,policy:%22UE9M%22/HANDLE",
    ] {
        let parsed = parse(path).unwrap();
        assert_eq!(
            parsed.security,
            Some(("UE9M".to_owned(), "51g".to_owned())),
            "{path}"
        );
        assert_eq!(parsed.tasks.len(), 1, "{path}");
    }
}

#[test]
fn p4_a_policy_arrives_exactly_as_sent() {
    let policy = "eyJleHBpcmVzIjogMTIzfQ==";
    let parsed = parse(&format!("security=p:{policy},s:abc/HANDLE")).unwrap();
    assert_eq!(parsed.security.unwrap().0, policy);
    // Standard base64, as the JavaScript SDK signs: quoted because of its slash.
    let parsed = parse("security=policy:%22a+b/c==%22,signature:abc/HANDLE").unwrap();
    assert_eq!(parsed.security.unwrap().0, "a+b/c==");
}

#[test]
fn p4_half_or_double_security_is_never_none() {
    assert_eq!(
        parse("security=p:abc/HANDLE").unwrap().security,
        Some(("abc".to_owned(), String::new()))
    );
    assert_eq!(
        parse("security/HANDLE").unwrap().security,
        Some((String::new(), String::new()))
    );
    assert_eq!(refusal("security=p:a,s:b/security=p:c,s:d/HANDLE").0, 400);
    assert_eq!(refusal("security=p:a,policy:b,s:c/HANDLE").0, 400);
}

#[test]
fn the_base64_form_means_the_same() {
    let json = r#"[{"name":"resize","params":{"width":10,"fit":"max"}},{"name":"flip"},
        {"name":"crop","params":{"dim":[1,2,3,4]}},
        {"name":"security","params":{"policy":"P","signature":"S"}}]"#;
    let source = "https://ex.org/a%20b.png";
    let path = format!(
        "{KEY}/b64/{}/b64://{}",
        URL_SAFE.encode(json),
        URL_SAFE.encode(source)
    );
    let parsed = parse(&path).unwrap();
    let expected = [
        resize(Some(10), None, Fit::Max),
        Task::Flip,
        Task::Crop(Crop {
            x: 1,
            y: 2,
            width: 3,
            height: 4,
        }),
    ];
    assert_eq!(parsed.tasks, expected);
    assert_eq!(parsed.source, Source::Url(source.to_owned()));
    assert_eq!(parsed.security, Some(("P".to_owned(), "S".to_owned())));
    let escaped = path.replace('=', "%3D").replacen("b64://", "b64%3A%2F%2F", 1);
    assert_eq!(parse(&escaped).unwrap(), parsed);
    assert_eq!(refusal("b64/!!/b64://SA==").0, 400);
    assert_eq!(
        refusal(&format!("b64/{}/b64://SA==", URL_SAFE.encode("[[[[")),).0,
        400
    );
    // A source may not be the base64 form again.
    let nested = URL_SAFE.encode("b64://SA==");
    assert_eq!(
        refusal(&format!("b64/{}/b64://{nested}", URL_SAFE.encode("[]"))).0,
        400
    );
}

#[test]
fn short_names_mean_the_long_ones() {
    let align = Align {
        horizontal: Horizontal::Left,
        vertical: Vertical::Top,
    };
    let resize = Task::Resize(Resize {
        width: Some(3),
        height: Some(4),
        fit: Fit::Crop,
        align,
    });
    let red = Color {
        rgba: [255, 0, 0, 255],
    };
    let rotate = Task::Rotate(Rotate {
        exif: true,
        degrees: 45,
        background: red,
    });
    assert_eq!(
        tasks("resize=w:3,h:4,f:crop,a:[top,left]"),
        std::slice::from_ref(&resize)
    );
    assert_eq!(
        tasks("resize=width:3,height:4,fit:crop,align:%5Btop%2Cleft%5D"),
        [resize]
    );
    assert_eq!(tasks("rotate=d:45,e:true,b:f00"), std::slice::from_ref(&rotate));
    assert_eq!(tasks("rotate=deg:45,exif:true,background:red"), [rotate]);
    let upright = Task::Rotate(Rotate {
        exif: true,
        degrees: 0,
        background: Color::WHITE,
    });
    assert_eq!(tasks("rotate=deg:exif"), [upright]);
}

#[test]
fn tasks_have_the_documented_defaults() {
    assert_eq!(tasks("compress"), [Task::Compress { metadata: false }]);
    assert_eq!(
        tasks("enhance/enhance=preset:vivid"),
        [Task::Enhance(Enhance::Auto), Task::Enhance(Enhance::Vivid)]
    );
    let output = Output {
        format: Some(Format::Jpeg),
        quality: Quality::Value(95),
        compress: false,
        strip: false,
        background: Color::WHITE,
        not_yet: None,
    };
    assert_eq!(tasks("output=format:jpg"), [Task::Output(output)]);
    let output = Output {
        quality: Quality::Input,
        compress: true,
        strip: true,
        ..output
    };
    assert_eq!(
        tasks("output=f:jpg,q:input,c:true,t:true"),
        [Task::Output(output)]
    );
}

#[test]
fn cache_takes_a_word_or_an_expiry() {
    assert_eq!(tasks("cache=false"), [Task::Cache(Cache::Off)]);
    assert_eq!(tasks("cache=expiry:max"), [Task::Cache(Cache::Max)]);
    assert_eq!(tasks("cache=e:600"), [Task::Cache(Cache::Seconds(600))]);
    assert_eq!(tasks("cache/debug"), [Task::Cache(Cache::Default), Task::Debug]);
}

#[test]
fn an_unknown_parameter_is_named() {
    let text = "invalid parameter `heigt` for `resize` task".to_owned();
    assert_eq!(refusal("resize=width:10,heigt:20/HANDLE"), (400, text));
    assert_eq!(
        refusal("flip=x:1/HANDLE"),
        (400, "invalid parameter `x` for `flip` task".to_owned())
    );
    assert_eq!(
        refusal("blur=amout:2/HANDLE"),
        (400, "invalid parameter `amout` for `blur` task".to_owned())
    );
}

#[test]
fn a_value_out_of_range_is_explained() {
    let text = "invalid value `10001` of parameter `width` for `resize` task: it must be a whole number from 0 to 10000";
    assert_eq!(refusal("resize=w:10001/HANDLE"), (400, text.to_owned()));
    for path in [
        "resize=width:-1",
        "resize=width:1.5",
        "resize=width:+5",
        "resize=width:",
        "resize=width:99999999999999999999",
        "resize=width:[1]",
        "resize=fit:stretch,width:1",
        "resize=align:[top,bottom],width:1",
        "resize=align:[top],width:1",
        "rotate=deg:360",
        "rotate=deg:10,background:nocolor",
        "crop=dim:[0,0,0,1]",
        "crop=dim:[0,0,1]",
        "crop=dim:5",
        "quality=value:0",
        "quality=value:101",
        "output=format:exe",
        "compress=metadata:yes",
        "enhance=preset:magic",
        "cache=maybe",
    ] {
        let (status, text) = refusal(&format!("{path}/HANDLE"));
        assert_eq!(status, 400, "{path}");
        assert!(text.contains(path.split('=').next().unwrap()), "{path}: {text}");
    }
}

#[test]
fn a_task_without_what_it_needs_is_refused() {
    for path in [
        "resize",
        "resize=width:0",
        "resize=fit:crop",
        "crop",
        "rotate",
        "rotate=b:red",
        "quality",
    ] {
        assert_eq!(refusal(&format!("{path}/HANDLE")).0, 400, "{path}");
    }
    assert_eq!(refusal("resize=width:5,w:5/HANDLE").0, 400);
}

#[test]
fn every_documented_task_is_known() {
    let paths = "smart_crop=width:9,height:9 pjpg=quality:50 detect_faces=export:true \
        crop_faces=mode:fill,faces:[1,2] pixelate_faces blur_faces=amount:4 blur sharpen=amount:3 pixelate oil_paint \
        partial_blur=objects:[[1,2,3,4],[5,6,7,8]] partial_pixelate=objects:[[1,2,3,4]] blackwhite=threshold:20 \
        monochrome negative redeye sepia=tone:80 modulate=brightness:100,hue:3 upscale ascii=size:20 \
        watermark=file:H1,position:[top,left] rounded_corners=radius:max \
        round_corners=radius:5 vignette=amount:5 polaroid torn_edges=spread:[1,10] shadow=vector:[-4,4] circle \
        border=width:5 pdfinfo pdfconvert=pages:[1,3,5-7,-2,9-] doc_to_images=format:png \
        preview=css:%22https://ex.org/a.css%22 minify_css=level:1 minify_js=gzip:true urlscreenshot=mode:window \
        blur=amount:2.5 detect_faces=minsize:0.35,maxsize:200 crop_faces=faces:all pixelate_faces=faces:3";
    for path in paths.split_whitespace() {
        assert!(matches!(tasks(path)[..], [Task::NotYet(_)]), "{path}");
    }
    for path in [
        "animate=delay:5",
        "collage=files:[H1,H2],width:5,height:5",
        "pdfcreate",
        "zip",
    ] {
        assert!(tasks(path)[0].takes_several(), "{path}");
    }
}

#[test]
fn what_is_in_a_file_is_asked_by_task() {
    let question = |path: &str| match tasks(path).remove(0) {
        Task::Ask(question) => question,
        other => panic!("{other:?}"),
    };
    assert_eq!(question("tags"), Question::Tags { version: 2 });
    assert_eq!(question("tags=v:1"), Question::Tags { version: 1 });
    assert_eq!(question("doc_detection=coords:true"), Question::Document);
    for path in ["sfw", "caption", "ocr", "copyright", "image_sentiment"] {
        assert_eq!(question(path).task(), path);
    }
    assert_eq!(
        tasks("doc_detection/doc_detection=coords:false,preprocess:false"),
        [
            Task::DocDetection { preprocess: true },
            Task::DocDetection { preprocess: false }
        ]
    );
    for wrong in [
        "tags=version:3",
        "sfw=x:1",
        "ocr=page:1",
        "doc_detection=coords:maybe",
        "virus_detection",
    ] {
        assert_eq!(refusal(&format!("{wrong}/HANDLE")).0, 400, "{wrong}");
    }
}

#[test]
fn film_and_workflows_have_their_parameters() {
    let film = |path: &str| match tasks(path).remove(0) {
        Task::VideoConvert(video) => *video,
        other => panic!("{other:?}"),
    };
    let wish = film("video_convert=p:webm,width:640,clip_offset:00:00:10,upscale:false,extname:.webm");
    assert_eq!((wish.preset.as_str(), wish.width), ("webm", Some(640)));
    assert_eq!(wish.clip_offset.as_deref(), Some("00:00:10"));
    assert_eq!(wish.others, [("upscale".to_owned(), "false".to_owned())]);
    assert_eq!(film("video_convert").preset, "h264");
    assert_eq!(
        tasks("run_workflow=id:ABC"),
        [Task::RunWorkflow("ABC".to_owned())]
    );
    assert_eq!(
        parse("workflow_status=job_id:J").unwrap().tasks,
        [Task::WorkflowStatus("J".to_owned())]
    );
    for wrong in [
        "video_convert=preset:betamax",
        "video_convert=width:0",
        "video_convert=height:4097",
        "video_convert=fps:301",
        "video_convert=video_bitrate:5001",
        "video_convert=audio_channels:13",
        "video_convert=keyframe_interval:249",
        "video_convert=clip_length:24",
        "video_convert=clip_length:00:60",
        "video_convert=clip_length:00:00:00:00",
        "video_convert=aspect_mode:square",
        "video_convert=extname:../x",
        "video_convert=force:1",
        "video_convert=location:moon",
        "video_convert=watermark_top:10000",
        "run_workflow",
        "run_workflow=id:[a]",
        "workflow_status",
    ] {
        assert_eq!(refusal(&format!("{wrong}/HANDLE")).0, 400, "{wrong}");
    }
}

#[test]
fn parameters_of_tasks_that_are_not_done_here_are_judged_too() {
    for wrong in [
        "partial_blur",
        "partial_blur=objects:[]",
        "partial_blur=objects:[[1,2,3]]",
        "partial_pixelate=objects:[[1,2,3,10001]]",
        "detect_faces=minsize:10000.5",
        "detect_faces=minsize:-1",
        "detect_faces=minsize:.5",
        "crop_faces=faces:0",
        "crop_faces=faces:[1,1001]",
        "crop_faces=faces:[]",
        "blur=amount:20.1",
        "blur=amount:1e1",
        "shadow=vector:[1,-1001]",
        "shadow=vector:[1]",
        "rounded_corners=blur:21",
        "watermark",
        "collage=files:[a],width:5",
        "pdfconvert",
        "pdfconvert=pages:[0]",
        "pdfconvert=pages:[-]",
        "pdfconvert=pages:[1-2-3]",
        "minify_js=gzip:2",
    ] {
        assert_eq!(refusal(&format!("{wrong}/HANDLE")).0, 400, "{wrong}");
    }
}

#[test]
fn tasks_for_the_routes_have_their_parameters() {
    let store = |path: &str| match tasks(path).remove(0) {
        Task::Store(store) => store,
        other => panic!("{other:?}"),
    };
    let kept = store("store=path:%22a/b%22,f:x.png,workflows:[a,b],base64decode:true");
    assert_eq!(
        (kept.path.as_deref(), kept.filename.as_deref()),
        (Some("a/b"), Some("x.png"))
    );
    assert_eq!((kept.workflows.len(), kept.base64), (2, Some(true)));
    let later = store("store=filename:y,workflows:c");
    let both = kept.merged(later);
    assert_eq!(
        (both.path.as_deref(), both.filename.as_deref()),
        (Some("a/b"), Some("y"))
    );
    assert_eq!(both.workflows, ["a", "b", "c"]);
    assert_eq!(tasks("zip"), [Task::Zip]);
    let fallback = |cache| {
        Task::Fallback(Fallback {
            handle: "H1".to_owned(),
            cache,
        })
    };
    assert_eq!(tasks("fallback=file:H1"), [fallback(None)]);
    assert_eq!(tasks("fallback=handle:H1,cache:9"), [fallback(Some(9))]);
    assert_eq!(
        tasks("metadata=[size,md5]"),
        [Task::Metadata(vec!["size", "md5"])]
    );
    for wrong in [
        "store=base64decode:maybe",
        "store=colour:red",
        "fallback",
        "fallback=file:..",
        "fallback=file:a,cache:0",
        "metadata=[size,colour]",
    ] {
        assert_eq!(refusal(&format!("{wrong}/HANDLE")).0, 400, "{wrong}");
    }
}

#[test]
fn some_tasks_need_no_source_and_the_others_do() {
    let parsed = parse("text_sentiment=text:%22good, bad/ugly: all%22,language:en").unwrap();
    let asked = Sentiment {
        text: "good, bad/ugly: all".to_owned(),
        language: "en",
    };
    assert_eq!(
        (parsed.source, parsed.tasks),
        (Source::None, vec![Task::TextSentiment(asked)])
    );
    assert_eq!(refusal("text_sentiment").0, 400);
    assert_eq!(refusal("text_sentiment=text:x,language:tlh").0, 400);
    assert_eq!(refusal("resize=width:10").0, 400);
    assert_eq!(refusal("flip").0, 400);
    assert_eq!(refusal("").0, 400);
}

#[test]
fn what_is_no_path_of_ours_is_refused() {
    assert_eq!(refusal("favicon.ico").0, 404);
    assert_eq!(refusal("HANDLE/other").0, 400);
    assert_eq!(refusal("flip//HANDLE").0, 400);
    for wrong in [
        "wf://a/b",
        "wf://a/b/c/d",
        "wf://a/../c",
        "wf://a/b/",
        "wf:///b/c",
    ] {
        assert_eq!(refusal(wrong).0, 400, "{wrong}");
    }
    assert_eq!(refusal("flip/%22https://ex.org").0, 400);
    assert_eq!(refusal("zip/[H1,H2").0, 400);
    assert_eq!(refusal("zip/[[H1]]").0, 400);
    assert_eq!(refusal("zip/[]").0, 400);
    assert_eq!(refusal("flip/%22ftp://ex.org%22").0, 400);
    assert_eq!(refusal("text_sentiment=text:%FF").0, 400);
}
