//! Made-up conversions of film and sound (§6.7): nothing is encoded. The new file has the beginning that its type is known by and
//! says what it is; length and rates come from the content's SHA-256, and what was asked for is reported as done.

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::Path;

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::replies::written;
use super::{Run, Runs};
use crate::emulator::http::is_plain_path;
use crate::emulator::store::Meta;
use crate::emulator::transform::Video;

/// Files that a conversion stores: film or sound, and four pictures of a film.
pub(super) const FILES: usize = 5;
const THUMBS: [(&str, u32, u32); 4] = [
    ("thumb", 640, 360),
    ("thumb100x100", 100, 100),
    ("thumb200x200", 200, 200),
    ("thumb300x300", 300, 300),
];
const BLOCK_BYTES: usize = 256 * 1024;

/// A kind of file that is made.
struct Kind {
    ending: &'static str,
    mimetype: &'static str,
    video_codec: Option<&'static str>,
    audio_codec: &'static str,
    /// What such a file begins with.
    start: &'static [u8],
}

/// An MP4 file's first box, and the head of one that readers skip; its length is what follows in `content`.
const MP4: &[u8] = b"\0\0\0\x18ftypisom\0\0\x02\0isommp42";
const M4A: &[u8] = b"\0\0\0\x18ftypM4A \0\0\x02\0M4A isom";
const WEBM: &[u8] = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm\x42\x87\x81\x02\x42\x85\x81\x02";
const OGG: &[u8] = b"OggS\0\x02\0\0\0\0\0\0\0\0";
const MP3: &[u8] = b"ID3\x03\0\0\0\0\0\0";
const AAC: &[u8] = b"\xff\xf1\x50\x80\x01\x7f\xfc";
const HLS: &[u8] = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-ENDLIST\n";
const DASH: &[u8] = b"<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"/>\n";

fn kind(preset: &str) -> Kind {
    let film = |ending, mimetype, video_codec, audio_codec, start| Kind {
        ending,
        mimetype,
        video_codec: Some(video_codec),
        audio_codec,
        start,
    };
    let sound = |ending, mimetype, audio_codec, start| Kind {
        ending,
        mimetype,
        video_codec: None,
        audio_codec,
        start,
    };
    match preset {
        "webm" | "webm.hi" => film(".webm", "video/webm", "vp8", "vorbis", WEBM),
        "ogg" | "ogg.hi" => film(".ogg", "video/ogg", "theora", "vorbis", OGG),
        "hls" | "hls.variant" => film(".m3u8", "application/vnd.apple.mpegurl", "h264", "aac", HLS),
        "dash" => film(".mpd", "application/dash+xml", "h264", "aac", DASH),
        "mp3" => sound(".mp3", "audio/mpeg", "mp3", MP3),
        "oga" => sound(".oga", "audio/ogg", "vorbis", OGG),
        "m4a" => sound(".m4a", "audio/mp4", "aac", M4A),
        "aac" => sound(".aac", "audio/aac", "aac", AAC),
        "hls.variant.audio" => sound(".m3u8", "application/vnd.apple.mpegurl", "aac", HLS),
        _ => film(".mp4", "video/mp4", "h264", "aac", MP4),
    }
}

/// Stores what the conversion "made" and says what is known of it; says why, when the source cannot be converted.
pub(super) fn convert(runs: &Runs, run: &Run, video: &Video, dir: &Path) -> io::Result<Value> {
    let (sum, start) = digest(&dir.join("source"))?;
    if !is_film_or_sound(&run.mimetype, &start) {
        return Ok(failed("The source is neither film nor sound"));
    }
    if !video.path.as_deref().is_none_or(is_plain_path) {
        return Ok(failed("The path leads elsewhere"));
    }
    let kind = kind(&video.preset);
    let ending = match &video.extname {
        Some(ending) => format!(".{}", ending.trim_start_matches('.')),
        None => kind.ending.to_owned(),
    };
    let stem = run
        .filename
        .rsplit_once('.')
        .map_or(run.filename.as_str(), |(stem, _)| stem);
    let named = video.title.as_deref().unwrap_or(stem);
    let filename = video
        .filename
        .clone()
        .unwrap_or_else(|| format!("{named}{ending}"));
    let keep = |at: usize, bytes: &[u8], filename: &str, mimetype: &str| {
        let content = dir.join(format!("made{at}"));
        fs::write(&content, bytes)?;
        let mut meta = Meta {
            app: Some(run.app.clone()),
            location: video.location.clone().unwrap_or_else(|| "S3".into()),
            container: video.container.clone(),
            ..Meta::new(filename, mimetype, video.path.as_deref(), runs.0.clock.now())
        };
        meta.upload_tags
            .insert("made_up".into(), "by the emulator, nothing was encoded".into());
        runs.keep_as(&run.handles[at], &content, meta)?;
        fs::remove_file(content)
    };
    let made = content(&kind, run, &sum);
    keep(0, &made, &filename, kind.mimetype)?;
    let mut data = Map::new();
    let folder = if kind.ending == ".m3u8" {
        "/video_playlist"
    } else {
        ""
    };
    data.insert("url".into(), format!("{folder}/{}", run.handles[0]).into());
    if kind.video_codec.is_some() {
        for (at, (name, width, height)) in (1..).zip(THUMBS) {
            keep(
                at,
                &thumb(width, height, &sum)?,
                &format!("{named}-{name}.png"),
                "image/png",
            )?;
            data.insert(name.to_owned(), format!("/{}", run.handles[at]).into());
        }
    }
    Ok(json!({
        "status": "completed",
        "message": "Done",
        "data": data,
        "metadata": { "result": facts(&kind, run, video, &sum, made.len(), &ending), "source": {} },
    }))
}

fn failed(message: &str) -> Value {
    json!({
        "status": "failed",
        "message": message,
        "data": {},
        "metadata": { "result": {}, "source": {} },
    })
}

fn facts(kind: &Kind, run: &Run, video: &Video, sum: &[u8], size: usize, ending: &str) -> Value {
    let number = |at: usize, least: u32, count: u32| {
        let two = u32::from(sum[at]) << 8 | u32::from(sum[at + 1]);
        least + two % count
    };
    let began = written(run.created_ms);
    let ended = written(run.due_ms);
    let mut facts = json!({
        "duration": number(0, 1_000, 60_000),
        "audio_codec": kind.audio_codec,
        "audio_bitrate": video.audio_bitrate.unwrap_or(128),
        "audio_channels": video.audio_channels.unwrap_or(2),
        "audio_sample_rate": video.audio_sample_rate.unwrap_or(44_100),
        "encoding_time": (run.due_ms - run.created_ms) / 1_000,
        "encoding_progress": 100,
        "extname": ending,
        "mime_type": kind.mimetype,
        "file_size": size,
        "created_at": began,
        "updated_at": ended,
        "started_encoding_at": began,
    });
    if let Some(codec) = kind.video_codec {
        facts["width"] = video.width.unwrap_or(640).into();
        facts["height"] = video.height.unwrap_or(360).into();
        facts["fps"] = f64::from(video.fps.unwrap_or(25)).into();
        facts["video_codec"] = codec.into();
        facts["video_bitrate"] = video.video_bitrate.unwrap_or(500).into();
    }
    facts
}

fn content(kind: &Kind, run: &Run, sum: &[u8]) -> Vec<u8> {
    let hex: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = format!(
        "Made up by the emulator of Filestack: nothing was encoded. Conversion {}, source SHA-256 {hex}.\n",
        run.id
    );
    let mut bytes = kind.start.to_vec();
    if kind.start.starts_with(b"\0\0\0\x18ftyp") {
        let length = u32::try_from(text.len() + 8).unwrap_or(8);
        bytes.extend(length.to_be_bytes());
        bytes.extend(b"free");
    } else if kind.ending == ".m3u8" {
        bytes.extend(b"# ");
    }
    bytes.extend(text.bytes());
    bytes
}

/// A picture whose colours are those of the content's sum.
fn thumb(width: u32, height: u32, sum: &[u8]) -> io::Result<Vec<u8>> {
    let color = |band: u32| {
        let at = (band as usize % 10) * 3;
        Rgb([sum[at], sum[at + 1], sum[at + 2]])
    };
    let picture = RgbImage::from_fn(width, height, |x, _| color(x * 8 / width));
    let mut bytes = Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(io::Error::other)?;
    Ok(bytes.into_inner())
}

/// The content's SHA-256 and its first bytes.
fn digest(path: &Path) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut file = File::open(path)?;
    let mut sum = Sha256::new();
    let mut start = Vec::new();
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        let count = file.read(&mut block)?;
        if count == 0 {
            return Ok((sum.finalize().to_vec(), start));
        }
        if start.is_empty() {
            start = block[..count.min(16)].to_vec();
        }
        sum.update(&block[..count]);
    }
}

fn is_film_or_sound(mimetype: &str, start: &[u8]) -> bool {
    let named = [
        "video/",
        "audio/",
        "application/ogg",
        "application/vnd.apple.mpegurl",
    ];
    let begins = [
        &b"\x1a\x45\xdf\xa3"[..],
        b"OggS",
        b"ID3",
        b"FLV",
        b"\xff\xfb",
        b"fLaC",
    ];
    !start.is_empty()
        && (named.iter().any(|name| mimetype.starts_with(name))
            || begins.iter().any(|magic| start.starts_with(magic))
            || start.get(4..8) == Some(b"ftyp")
            || (start.starts_with(b"RIFF")
                && [Some(&b"AVI "[..]), Some(b"WAVE")].contains(&start.get(8..12))))
}
