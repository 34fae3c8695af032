//! What a job made, on its way to the client or into a new file (§3.11, §4, §6.6).

use actix_web::body::SizedStream;
use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use serde_json::Value;

use super::State;
use super::delivery::{Manner, blocks, cache_headers, deliver_file};
use super::flows;
use super::headers;
use super::job::Job;
use super::kept;
use super::sources::Input;
use super::writer::Writer;
use super::zip::Archive;
use crate::emulator::apps::App;
use crate::emulator::errors::{Host, On, Problem};
use crate::emulator::policy::Grant;
use crate::emulator::store::{Meta, Scratch};
use crate::emulator::transform::Store;
use crate::emulator::webhooks::Event;

const HOST: Host = Host::Cdn;
/// What an archive is called unless it is stored under a name.
const ARCHIVE_NAME: &str = "files.zip";

/// What the work made of the sources.
pub(super) enum Product {
    File(Input),
    Made {
        bytes: Bytes,
        mimetype: String,
        of: Meta,
    },
    Archive(Archive),
    Facts(Value),
}

/// Answers with it.
pub(super) fn send(req: &HttpRequest, manner: Manner, product: Product) -> Result<HttpResponse, Problem> {
    let mut reply = HttpResponse::Ok();
    match product {
        Product::File(input) => Ok(deliver_file(req, &input.meta, input.file, manner)),
        Product::Made { bytes, mimetype, of } => {
            cache_headers(&mut reply, manner);
            headers::describe(&mut reply, &of.filename, &mimetype, manner.attach);
            Ok(reply.body(bytes))
        }
        Product::Archive(archive) => {
            cache_headers(&mut reply, manner);
            headers::describe(&mut reply, ARCHIVE_NAME, "application/zip", manner.attach);
            let length = archive.length();
            if req.method() == Method::HEAD {
                return Ok(reply.body(SizedStream::new(
                    length,
                    stream::empty::<std::io::Result<Bytes>>(),
                )));
            }
            Ok(reply.body(SizedStream::new(length, Box::pin(archive.into_stream()))))
        }
        Product::Facts(facts) => {
            cache_headers(&mut reply, manner);
            Ok(reply.json(facts))
        }
    }
}

/// The `store` task: the product becomes a file, and the answer says which. A product of other tasks is told of as what
/// they made, anything else as an upload (§7.2).
pub(super) async fn keep(
    req: &HttpRequest,
    state: &State,
    app: &App,
    grant: &Grant,
    options: &Store,
    job: &Job,
    product: Product,
) -> Result<HttpResponse, Problem> {
    let base64 = options.base64.unwrap_or(false);
    let is_made = !matches!(product, Product::File(_));
    let (scratch, of, mimetype) = match product {
        Product::File(Input {
            meta,
            place: Some(scratch),
            ..
        }) => (scratch, meta.clone(), meta.mimetype),
        Product::File(Input { meta, file, .. }) => {
            let content = blocks(file, 0, meta.size);
            let scratch = written(state, app, grant, base64, content).await?;
            (scratch, meta.clone(), meta.mimetype)
        }
        Product::Made { bytes, mimetype, of } => {
            let content = stream::iter([Ok(bytes)]);
            (written(state, app, grant, base64, content).await?, of, mimetype)
        }
        Product::Archive(archive) => {
            let of = Meta {
                filename: ARCHIVE_NAME.into(),
                ..Meta::default()
            };
            let scratch = written(state, app, grant, false, archive.into_stream()).await?;
            (scratch, of, "application/zip".into())
        }
        // Facts are answers, not files.
        Product::Facts(facts) => return Ok(HttpResponse::Ok().json(facts)),
    };
    let record = kept::record(state, &app.key, options, &of, &mimetype, &job.tags);
    let (base, made_by) = (state.base(req), job.made_by.clone().filter(|_| is_made));
    let workflows = flows::asked(HOST, state, app, grant, &options.workflows)?;
    let origin = base.url("");
    let event = move |handle: &str, meta: &Meta, size| match made_by {
        Some(made_by) => {
            let url = base.url(&format!("api/file/{handle}"));
            Event::converse(&made_by, handle, &url, meta, size)
        }
        None => Event::upload(handle, &base.url(handle), meta, size),
    };
    let follow = kept::Follow {
        workflows,
        base: origin,
        event,
    };
    let kept = kept::publish(HOST, state, scratch, record, follow).await?;
    Ok(kept::reply(kept, &state.base(req)))
}

async fn written(
    state: &State,
    app: &App,
    grant: &Grant,
    base64: bool,
    content: impl Stream<Item = std::io::Result<Bytes>>,
) -> Result<Scratch, Problem> {
    let mut content = std::pin::pin!(content);
    let mut writer = Writer::new(HOST, state, &app.key, grant, base64);
    while let Some(bytes) = content.next().await {
        writer.push(bytes.on(HOST)?).await?;
    }
    let (scratch, size) = writer.finish().await?;
    grant
        .check_size(size)
        .map_err(|refusal| Problem::refused(HOST, &app.key, &refusal))?;
    Ok(scratch)
}
