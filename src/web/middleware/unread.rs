//! Closes connections on which a body goes on after its answer.
//!
//! An answer may come before the end of a request's body: the file is too large, the form is complete. The HTTP layer then closes the
//! connection, after a moment in which the client can read the answer, if the body has a length. A chunked body without end it
//! would read for ever, as soon as nobody holds its payload any more. So the payload is held until the answer is out.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header::TRANSFER_ENCODING;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _};
use bytes::Bytes;
use futures_util::Stream;

pub(super) async fn hold(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<BoxBody, impl MessageBody>>, Error> {
    if !request.headers().contains_key(TRANSFER_ENCODING) {
        return Ok(next.call(request).await?.map_into_right_body());
    }
    let held = Held {
        payload: Rc::new(RefCell::new(request.take_payload())),
        ended: Rc::default(),
    };
    let lent: Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>> = Box::pin(held.clone());
    request.set_payload(Payload::from(lent));
    let response = next.call(request).await?;
    if held.ended.get() {
        return Ok(response.map_into_right_body());
    }
    let response = response.map_body(|_, body| {
        EitherBody::left(BoxBody::new(Holding {
            body: BoxBody::new(body),
            _held: held,
        }))
    });
    Ok(response)
}

/// A request's payload, for whoever reads it and for us.
#[derive(Clone)]
struct Held {
    payload: Rc<RefCell<Payload>>,
    ended: Rc<Cell<bool>>,
}

impl Stream for Held {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = Pin::new(&mut *self.payload.borrow_mut()).poll_next(context);
        self.ended
            .set(self.ended.get() || matches!(next, Poll::Ready(None)));
        next
    }
}

/// An answer's body that keeps the payload until it is sent.
struct Holding {
    body: BoxBody,
    _held: Held,
}

impl MessageBody for Holding {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
