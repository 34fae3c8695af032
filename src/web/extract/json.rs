//! JSON bodies that fail with our own error, and come in time.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::JsonPayloadError;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::error::AppError;

/// How long a body may take to arrive: they are short.
const PATIENCE: Duration = Duration::from_secs(30);

/// A JSON body: an object, and nothing else that could be read as one.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = AppError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, AppError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = tokio::time::timeout(PATIENCE, web::Json::<Object<T>>::from_request(request, payload));
        Box::pin(async move {
            match read.await {
                Ok(Ok(body)) => Ok(Json(body.into_inner().0)),
                Ok(Err(error)) => Err(wrong(&error)),
                Err(_) => Err(AppError::TooSlow(
                    "The JSON took too long to arrive. Send it again.".to_owned(),
                )),
            }
        })
    }
}

/// What is written as a JSON object: serde reads a struct from a list of its fields' values too.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_map(ObjectVisitor(PhantomData)).map(Object)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

fn wrong(error: &actix_web::Error) -> AppError {
    match error.as_error() {
        Some(JsonPayloadError::ContentType) => {
            AppError::UnsupportedMedia("Send the body as application/json.".to_owned())
        }
        _ if error.as_response_error().status_code().as_u16() == 413 => {
            AppError::TooLarge("The JSON is longer than anything that is taken here. Shorten it.".to_owned())
        }
        _ => AppError::invalid(
            "invalid-json",
            "The body is not the JSON object that belongs here, such as {\"name\": \"report.pdf\"}. Correct it and try again.",
        ),
    }
}
